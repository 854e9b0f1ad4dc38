//! State that the clones of a ledger share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use maitre_core::InFlight;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::overtake::Calls;
use super::wait::Waiting;
use crate::engine::{Database, Engine};

pub(super) struct Inner {
    pub(super) engine: Arc<Engine>,
    pub(super) db: Arc<Database>,
    pub(super) waiting: Arc<Waiting>,
    /// Time that a duplicate waits for the result of the running operation.
    pub(super) duplicate_wait: Duration,
    /// Calls of this process that a deprovision can overtake.
    pub(super) calls: Arc<Calls>,
    /// Listener calls that run in this process.
    pub(super) running: InFlight,
    /// Whether the process is shutting down: it is no longer ready.
    pub(super) shutting_down: AtomicBool,
    /// Whether running calls have to stop.
    pub(super) stopping: watch::Sender<bool>,
    /// Folder of a ledger for a test.
    #[cfg(feature = "sqlite")]
    pub(super) folder: Option<super::in_memory::TemporaryFolder>,
    /// Task that polls the operations for which this process waits, and those that it runs.
    pub(super) polling: AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.polling.abort();
    }
}
