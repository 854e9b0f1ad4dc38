//! Waits for operations that run elsewhere, in this process or another.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::engine::{ChangedOperations, Database};

const MIN_POLL_INTERVAL: Duration = Duration::from_millis(20);
const MAX_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// All operations for which this process waits. One task polls all of them in one query.
#[derive(Default)]
pub(super) struct Waiting {
    operations: Mutex<HashMap<i64, Entry>>,
    /// Notified when an operation ended in this process or a new caller waits: polls soon.
    wake: Notify,
}

struct Entry {
    changed: watch::Sender<()>,
    waiters: usize,
}

/// Caller that waits; drop it to stop waiting.
pub(super) struct Waiter<'w> {
    waiting: &'w Waiting,
    operation: i64,
    changed: watch::Receiver<()>,
}

impl Waiting {
    pub(super) fn join(&self, operation: i64) -> Waiter<'_> {
        let mut operations = self.operations.lock().unwrap_or_else(PoisonError::into_inner);
        let entry =
            operations.entry(operation).or_insert_with(|| Entry { changed: watch::Sender::new(()), waiters: 0 });
        entry.waiters += 1;
        let changed = entry.changed.subscribe();
        drop(operations);
        self.wake.notify_one();
        Waiter { waiting: self, operation, changed }
    }

    /// Polls the operations soon, because one may have ended.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    fn operations(&self) -> Vec<i64> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    fn notify(&self, operation: i64) {
        if let Some(entry) = self.operations.lock().unwrap_or_else(PoisonError::into_inner).get(&operation) {
            entry.changed.send_replace(());
        }
    }

    /// Polls the operations while the ledger is open, with an interval that grows while nothing changes.
    pub(super) async fn poll(&self, db: &Database) {
        let mut interval = MIN_POLL_INTERVAL;
        loop {
            let operations = self.operations();
            if operations.is_empty() {
                self.wake.notified().await;
                interval = MIN_POLL_INTERVAL;
                continue;
            }
            match db.read(ChangedOperations(operations)).await {
                Ok(changed) => {
                    for operation in &changed {
                        self.notify(*operation);
                    }
                    interval =
                        if changed.is_empty() { (interval * 3 / 2).min(MAX_POLL_INTERVAL) } else { MIN_POLL_INTERVAL };
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot poll operations");
                    interval = MAX_POLL_INTERVAL;
                }
            }
            if timeout(interval, self.wake.notified()).await.is_ok() {
                interval = MIN_POLL_INTERVAL;
                sleep(Duration::from_millis(1)).await; // one commit often completes several operations
            }
        }
    }
}

impl Waiter<'_> {
    /// Waits until the operation changed, the deadline passed, or four poll intervals elapsed.
    pub(super) async fn changed(&mut self, deadline: Instant) {
        let _ = timeout_at(deadline.min(Instant::now() + MAX_POLL_INTERVAL * 4), self.changed.changed()).await;
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut operations = self.waiting.operations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = operations.get_mut(&self.operation) {
            entry.waiters -= 1;
            if entry.waiters == 0 {
                operations.remove(&self.operation);
            }
        }
    }
}
