//! Synchronization on events instead of time.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Timeout of waits that would never end; no test depends on its length.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Counter of events that can be awaited.
#[derive(Clone)]
pub(crate) struct Count(watch::Sender<usize>);

impl Count {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    pub(crate) fn add(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    pub(crate) fn get(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until the count reaches `wanted`.
    #[track_caller]
    pub(crate) fn reaches(&self, wanted: usize) -> impl Future<Output = ()> + use<> {
        let place = std::panic::Location::caller();
        let mut seen = self.0.subscribe();
        async move {
            let reached = timeout(PATIENCE, async { seen.wait_for(|count| *count >= wanted).await.is_ok() }).await;
            assert!(reached == Ok(true), "{place}: waited for {wanted}, there were {}", *seen.borrow());
        }
    }
}

/// Work that begins, waits until the gate is opened, and ends.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) begun: Count,
    pub(crate) done: Count,
    open: Count,
}

impl Gate {
    pub(crate) fn closed() -> Self {
        Self { begun: Count::new(), done: Count::new(), open: Count::new() }
    }

    pub(crate) fn open(&self) {
        self.open.add();
    }

    /// Does the work, which takes several polls, as real work does.
    pub(crate) async fn work(&self) {
        self.begun.add();
        self.open.reaches(1).await;
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        self.done.add();
    }
}
