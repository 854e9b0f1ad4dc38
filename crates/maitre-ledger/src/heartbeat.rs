//! Work and its heartbeat side by side: without a lease there is no going on.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use maitre_core::{Failure, Result};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

use crate::db::Command;
use crate::ledger::Inner;

/// What became of work under a lease.
pub(crate) enum Told<T> {
    Said(Result<T>),
    LeaseLost,
    Stopped,
}

impl Inner {
    /// Does the work, and renews its lease by `renewal` for as long as it takes. A panic of it is a failure.
    pub(crate) async fn under_lease<T, R>(
        &self,
        renewal: impl Fn() -> R,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Told<T>
    where
        T: Send + 'static,
        R: Command<Outcome = bool>,
    {
        let mut work = Box::pin(CatchPanic(Box::pin(work)).in_current_span());
        // what is done at the first look needs neither a task nor a heartbeat
        if let Poll::Ready(result) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
            return Told::Said(result);
        }
        let mut work = Task(tokio::spawn(work));
        let mut stopping = self.stopping.subscribe();
        let told = tokio::select! {
            result = &mut work.0 => {
                return Told::Said(result.unwrap_or_else(|_| Err(Failure::unavailable("the process stops"))));
            }
            () = self.keep_alive(renewal) => Told::LeaseLost,
            _ = stopping.wait_for(|stopping| *stopping) => Told::Stopped,
        };
        work.0.abort();
        let _ = (&mut work.0).await; // it may stand in a place where it cannot be stopped
        told
    }

    /// Renews the lease every third of it; returns when two thirds have passed without success.
    async fn keep_alive<R: Command<Outcome = bool>>(&self, renewal: impl Fn() -> R) {
        let length = Duration::from_millis(u64::try_from(self.engine.limits.lease).unwrap_or_default());
        let mut renewed = Instant::now();
        loop {
            sleep(length / 3).await;
            let (began, end) = (Instant::now(), renewed + length * 2 / 3);
            match timeout_at(end, self.db.write(renewal())).await {
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
}

/// Ends with whoever waits for it.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A call that panics has failed, and nothing else has.
struct CatchPanic<F>(Pin<Box<F>>);

impl<T, F: Future<Output = Result<T>>> Future for CatchPanic<F> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let work = self.0.as_mut();
        // the call is not looked at again, and what it shares with others is the vendor's to keep whole
        catch_unwind(AssertUnwindSafe(|| work.poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err(Failure::unavailable("the listener panicked"))))
    }
}
