//! Calls of this process that a deprovision overtakes: they are stopped, so that it need not wait until they end.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::engine::{Database, Lease, OperationKind, OvertakenOperations};

const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// All calls for operations that a deprovision can overtake. One task polls for deprovisions, also by other processes.
#[derive(Default)]
pub(super) struct Calls {
    running: Mutex<HashMap<CallId, Arc<Notify>>>,
    started: Notify,
}

/// Operation and fencing token: a process can run an operation again before an earlier call has ended.
type CallId = (i64, i64);

impl Calls {
    /// Completes when the resource of a running operation is being deprovisioned.
    pub(super) async fn overtaken(&self, lease: &Lease) {
        if lease.kind == OperationKind::Deprovision {
            return pending().await;
        }
        let call = Call { calls: self, id: (lease.operation, lease.fence) };
        let overtaken = Arc::new(Notify::new());
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(call.id, overtaken.clone());
        self.started.notify_one();
        overtaken.notified().await;
    }

    fn operations(&self) -> Vec<i64> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).keys().map(|(operation, _)| *operation).collect()
    }

    fn notify(&self, overtaken: &[i64]) {
        for ((operation, _), call) in &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            if overtaken.contains(operation) {
                call.notify_one();
            }
        }
    }

    /// Polls while the ledger is open and calls are running. Short calls are not polled for.
    pub(super) async fn poll(&self, db: &Database) {
        loop {
            if self.operations().is_empty() {
                self.started.notified().await;
            }
            sleep(POLL_INTERVAL).await;
            let operations = self.operations();
            if operations.is_empty() {
                continue;
            }
            match db.read(OvertakenOperations(operations)).await {
                Ok(overtaken) => self.notify(&overtaken),
                Err(error) => tracing::warn!(%error, "cannot poll for deprovisions of running operations"),
            }
        }
    }
}

/// Entry of a running call, removed on drop.
struct Call<'c> {
    calls: &'c Calls,
    id: CallId,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.calls.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
