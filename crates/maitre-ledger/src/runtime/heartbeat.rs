//! Runs work while renewing its lease; aborts the work if the lease is lost.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use maitre_core::{Failure, Result, TraceParent};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::Instrument;

use super::inner::Inner;
use crate::db::Command;
use crate::engine::{Engine, Lease, ReleaseLease};

/// Time that an overtaken call has to end, and then to stop.
const GRACE: Duration = Duration::from_millis(500);

/// Outcome of work under a lease.
pub(super) enum LeaseOutcome<T> {
    Finished(Result<T>),
    /// Another process may run the operation.
    Lost,
    /// Stopped because the process stops.
    Stopped,
    /// Stopped because of a deprovision.
    Overtaken,
}

/// Returns the span of one attempt, for all its log lines.
pub(super) fn operation_span(lease: &Lease) -> tracing::Span {
    tracing::info_span!(
        "operation",
        id = lease.operation,
        kind = lease.kind.as_str(),
        addon = lease.addon,
        resource = lease.key,
        fence = lease.fence,
        trace_id = lease.trace.as_ref().map(TraceParent::trace_id),
    )
}

/// Runs the work and renews its lease by `renewal`, until it has ended or is `overtaken`. A panic of the work is a failure.
pub(super) async fn under_lease<T, R>(
    ledger: &Inner,
    renewal: impl Fn() -> R,
    overtaken: impl Future<Output = ()>,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> LeaseOutcome<T>
where
    T: Send + 'static,
    R: Command<Engine, Outcome = bool>,
{
    let mut work = Box::pin(CatchPanic(Box::pin(work)).in_current_span());
    // work that is ready at the first poll needs neither a task nor a heartbeat
    if let Poll::Ready(result) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        return LeaseOutcome::Finished(result);
    }
    let mut work = AbortOnDrop(tokio::spawn(work));
    let mut stopping = ledger.stopping.subscribe();
    let outcome = tokio::select! {
        result = &mut work.0 => {
            return LeaseOutcome::Finished(result.unwrap_or_else(|_| Err(Failure::unavailable("shutting down"))));
        }
        () = renew_until_lost(ledger, renewal) => LeaseOutcome::Lost,
        _ = stopping.wait_for(|stopping| *stopping) => LeaseOutcome::Stopped,
        () = async { overtaken.await; sleep(GRACE).await } => LeaseOutcome::Overtaken,
    };
    work.0.abort(); // it stops only at its next await point
    if !matches!(outcome, LeaseOutcome::Overtaken) {
        let _ = (&mut work.0).await;
    } else if timeout(GRACE, &mut work.0).await.is_err() {
        return LeaseOutcome::Lost; // work that blocks its thread keeps the lease until the deprovision takes it over
    }
    outcome
}

/// Renews the lease after every third of it. Returns when two thirds have passed without success.
async fn renew_until_lost<R: Command<Engine, Outcome = bool>>(ledger: &Inner, renewal: impl Fn() -> R) {
    let duration = Duration::from_millis(u64::try_from(ledger.engine.limits.lease).unwrap_or_default());
    let mut renewed = Instant::now();
    loop {
        sleep(duration / 3).await;
        let (began, end) = (Instant::now(), renewed + duration * 2 / 3);
        match timeout_at(end, ledger.db.write(renewal())).await {
            Ok(Ok(true)) => renewed = began,
            Ok(Ok(false)) | Err(_) => return,
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot renew a lease");
                if Instant::now() >= end {
                    return;
                }
            }
        }
    }
}

/// Releases the lease of a call that was stopped for a deprovision, which can then run. If that fails, the deprovision
/// takes the lease over.
pub(super) async fn release_overtaken(ledger: &Inner, lease: &Lease) {
    tracing::warn!(
        operation = lease.operation,
        resource = lease.key,
        addon = lease.addon,
        "{} stopped: the resource is being deprovisioned",
        lease.kind
    );
    let release = ReleaseLease { operation: lease.operation, fence: lease.fence };
    if let Err(error) = ledger.db.write(release).await {
        tracing::warn!(%error, "cannot release the lease of a stopped operation");
    }
    ledger.waiting.wake();
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Turns a panic of the call into a failure.
struct CatchPanic<F>(Pin<Box<F>>);

impl<T, F: Future<Output = Result<T>>> Future for CatchPanic<F> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let work = self.0.as_mut();
        // the call is not polled again; state that it shares is the vendor's to keep consistent
        catch_unwind(AssertUnwindSafe(|| work.poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err(Failure::unavailable("the listener panicked"))))
    }
}
