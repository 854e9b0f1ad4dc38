//! Synchronization on events instead of time.

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Timeout of waits that would never end; no test depends on its length.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// Counter of events that can be awaited.
#[derive(Clone)]
pub(crate) struct Counter(watch::Sender<usize>);

impl Counter {
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
    pub(crate) fn wait_for(&self, wanted: usize) -> impl Future<Output = ()> + use<> {
        let caller = std::panic::Location::caller();
        let mut seen = self.0.subscribe();
        async move {
            let reached = timeout(TIMEOUT, async { seen.wait_for(|count| *count >= wanted).await.is_ok() }).await;
            assert!(reached == Ok(true), "{caller}: waited for {wanted}, counted {}", *seen.borrow());
        }
    }
}

/// Work that begins, waits until the gate is opened, and ends.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) begun: Counter,
    pub(crate) done: Counter,
    open: Counter,
}

impl Gate {
    pub(crate) fn closed() -> Self {
        Self { begun: Counter::new(), done: Counter::new(), open: Counter::new() }
    }

    pub(crate) fn open(&self) {
        self.open.add();
    }

    /// Does the work, which takes several polls, as real work does.
    pub(crate) async fn work(&self) {
        self.begun.add();
        self.open.wait_for(1).await;
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        self.done.add();
    }

    /// Returns a script for a method of the vendor that does the work before it replies.
    pub(crate) fn before<Q, A: 'static>(
        &self,
        reply: fn() -> maitre::Result<A>,
    ) -> impl Fn(Q) -> GatedReply<A> + use<Q, A> {
        let gate = self.clone();
        move |_| {
            let gate = gate.clone();
            Box::pin(async move {
                gate.work().await;
                reply()
            })
        }
    }
}

type GatedReply<A> = Pin<Box<dyn Future<Output = maitre::Result<A>> + Send>>;
