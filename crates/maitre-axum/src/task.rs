//! Listener calls, which outlive their request.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use maitre_core::{Addon, Failure, FailureKind, InFlight, Marketplace, Result, SpawnOnDrop};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;

/// Runs `call` to completion and waits for it within the add-on's answer budget.
///
/// The call itself logs its failure, as the caller may have disconnected.
pub(crate) async fn run<M, T, F>(addon: &Arc<Addon<M>>, call: F) -> Result<T>
where
    M: Marketplace,
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let running = addon.in_flight().enter();
    let work = async move {
        let result = AssertUnwindSafe(call).catch_unwind().await;
        // the panic message went to the panic hook (by default stderr); it may contain secrets
        let result = result.unwrap_or_else(|_| Err(Failure::unavailable("the listener panicked")));
        if let Err(failure) = &result {
            log(failure);
        }
        drop(running);
        result
    };
    // without a runtime the process is ending
    let work =
        SpawnOnDrop::new(work.in_current_span(), |work| drop(Handle::try_current().map(|runtime| runtime.spawn(work))));
    timeout(addon.answer_budget(), work).await.unwrap_or_else(|_| {
        tracing::warn!(budget = ?addon.answer_budget(), "the listener exceeded the answer budget: answered 503, the call continues");
        crate::metrics::budget_exceeded(addon.id());
        Err(Failure::unavailable("answer budget exceeded"))
    })
}

fn log(failure: &Failure) {
    let kind = failure.kind();
    match failure.cause() {
        Some(cause) => tracing::error!(?kind, cause, "the listener failed"),
        None if kind == FailureKind::Unavailable => tracing::error!(?kind, "the listener failed"),
        None => tracing::info!(?kind, "the listener refused the request"),
    }
}

/// Waits until no listener call is running, at most for `deadline`. Returns the number of calls that are still running.
///
/// Call it after the server has stopped: `axum::serve` waits for connections, but not for calls whose caller has
/// disconnected.
///
/// ```
/// use std::time::Duration;
/// use maitre_axum::{core::InFlight, drain};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let in_flight = InFlight::default(); // `addon.in_flight()` in production
/// assert_eq!(drain([&in_flight], Duration::from_secs(25)).await, 0);
///
/// let _stuck = in_flight.enter();
/// assert_eq!(drain([&in_flight], Duration::from_millis(1)).await, 1);
/// # }
/// ```
pub async fn drain<'a>(addons: impl IntoIterator<Item = &'a InFlight>, deadline: Duration) -> usize {
    let addons: Vec<_> = addons.into_iter().collect();
    let end = Instant::now().checked_add(deadline); // `None` if the deadline overflows
    loop {
        let running = addons.iter().map(|addon| addon.count()).sum();
        if running == 0 || end.is_some_and(|end| Instant::now() >= end) {
            return running;
        }
        sleep(Duration::from_millis(10)).await;
    }
}
