//! Requests by several callers while a secret is replaced.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::ledger::support::{short_or_long, soon, until};

const CALLERS: usize = 4;

/// Requests of one rotation.
pub(super) struct Load<S> {
    /// Name in the printed figures.
    pub(super) name: &'static str,
    /// Sends a request and returns its status; with the new secret if true.
    pub(super) send: S,
}

impl<F: Future<Output = u16> + Send, S: Fn(bool) -> F + Clone + Send + Sync + 'static> Load<S> {
    /// Sends requests with the old secret, replaces it with `reload`, and sends more of them until the old one was used.
    /// Then the other side changes, by `switch`, and the rest are sent with the new secret. No request may be refused.
    /// `old_uses` is the metric: 0, above 0, and constant after the change.
    pub(super) async fn rotate(self, old_uses: impl Fn() -> usize, reload: impl FnOnce(), switch: impl AsyncFnOnce()) {
        let requests = short_or_long(600, 10_000);
        let (switched, done) = <(Arc<AtomicBool>, Arc<AtomicBool>)>::default();
        let answered: Arc<[AtomicUsize; CALLERS]> = Arc::default();
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (send, switched, done) = (self.send.clone(), switched.clone(), done.clone());
                let answered = answered.clone();
                tokio::spawn(async move {
                    let mut refused = Vec::new();
                    while !done.load(Ordering::SeqCst) {
                        let status = send(switched.load(Ordering::SeqCst)).await;
                        if !(200..400).contains(&status) {
                            refused.push(status);
                        }
                        answered[caller].fetch_add(1, Ordering::SeqCst);
                    }
                    refused
                })
            })
            .collect();
        let counts = || answered.each_ref().map(|count| count.load(Ordering::SeqCst));
        let total = || counts().iter().sum::<usize>();

        until("the load has begun", async || total() > requests / 4).await;
        assert_eq!(old_uses(), 0, "before the rotation");
        reload();
        until("the old secret is used as an old one", async || old_uses() >= 20 && total() > requests / 2).await;
        switch().await;
        switched.store(true, Ordering::SeqCst);
        let at_switch = counts();
        let is_past = || counts().iter().zip(at_switch).all(|(count, then)| *count >= then + 2);
        until("requests before the change have ended", async || is_past()).await;
        let (used, at_change) = (old_uses(), total());
        until("the load is complete", async || total() >= requests.max(at_change + 20)).await;
        done.store(true, Ordering::SeqCst);
        let mut refused = Vec::new();
        for caller in callers {
            refused.extend(soon("a caller", caller).await.unwrap());
        }
        let more = old_uses() - used;
        println!(
            "{}: {} requests, {} refused, {used} with the old secret, {more} of them after the change",
            self.name,
            total(),
            refused.len()
        );
        assert_eq!((refused, more), (Vec::new(), 0));
    }
}
