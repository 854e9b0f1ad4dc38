//! Workers and simulated processes that stop with the test, and reproducible random numbers.

use std::time::Duration;

use maitre::heroku::Heroku;
use maitre_core::{Addon, Listener};
use maitre_ledger::{Ledger, Worker};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// Returns a worker with a short poll interval.
pub(crate) fn worker<L: Listener + Clone>(ledger: &Ledger, listener: &L) -> Worker {
    let heroku = Heroku::new("lantern", "password", "salt").expect("no part is empty");
    let addon = Addon::new(heroku, ledger.wrap(listener.clone()));
    ledger.worker([addon]).poll_interval(Duration::from_millis(5))
}

/// Worker in its own task; dropping it aborts the worker.
pub(crate) struct RunningWorker(JoinHandle<()>);

impl RunningWorker {
    pub(crate) fn start<L: Listener + Clone>(ledger: &Ledger, listener: &L) -> Self {
        Self(tokio::spawn(worker(ledger, listener).run(std::future::pending())))
    }
}

impl Drop for RunningWorker {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Simulated process: a runtime that is dropped with all its tasks.
pub(crate) struct SimulatedProcess(Option<Runtime>);

impl SimulatedProcess {
    pub(crate) fn start() -> Self {
        Self(Some(Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")))
    }

    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.0.as_ref().expect("a running process").spawn(work)
    }

    /// Stops all its tasks without cleanup.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for SimulatedProcess {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Pseudorandom numbers determined by a seed (splitmix64).
pub(crate) struct RandomNumbers(u64);

impl RandomNumbers {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns an independent generator, determined by this one.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}
