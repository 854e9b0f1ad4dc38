//! Boxed futures, and futures that outlive their caller.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A boxed future, as returned by object-safe traits.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type Work<T> = BoxFuture<'static, T>;

/// A future that is spawned if it is dropped before completion, so that it runs to its end.
///
/// Axum drops a handler when its caller disconnects, and a timeout drops what takes longer. A task per call would also
/// survive both, but costs 16 % of the instructions of a provision, which callers who wait would pay, too.
///
/// ```
/// use std::sync::Mutex;
/// use std::future::Future;
/// use std::pin::Pin;
/// use maitre_core::SpawnOnDrop;
///
/// static SPAWNED: Mutex<Vec<Pin<Box<dyn Future<Output = ()> + Send>>>> = Mutex::new(Vec::new());
///
/// // in production: |work| drop(tokio::spawn(work))
/// let work = SpawnOnDrop::new(async { 7 }, |work| SPAWNED.lock().unwrap().push(work));
/// drop(work);
/// assert_eq!(SPAWNED.lock().unwrap().len(), 1, "the work continues without its caller");
/// ```
pub struct SpawnOnDrop<T: Send + 'static> {
    /// Empty after completion and during a poll, so that a future that panicked is not polled again.
    work: Option<Work<T>>,
    spawn: fn(Work<()>),
}

impl<T: Send + 'static> SpawnOnDrop<T> {
    /// Wraps `work`; `spawn` receives the rest of it when this future is dropped before completion.
    pub fn new(work: impl Future<Output = T> + Send + 'static, spawn: fn(Work<()>)) -> Self {
        Self { work: Some(Box::pin(work)), spawn }
    }
}

impl<T: Send + 'static> Future for SpawnOnDrop<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(mut work) = self.work.take() else { return Poll::Pending }; // completed before
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for SpawnOnDrop<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            (self.spawn)(Box::pin(async move { drop(work.await) }));
        }
    }
}

impl<T: Send + 'static> fmt::Debug for SpawnOnDrop<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnOnDrop").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    fn poll<T: Send + 'static>(work: Pin<&mut SpawnOnDrop<T>>) -> Poll<T> {
        work.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_completed_future_is_not_spawned() {
        let mut work = pin!(SpawnOnDrop::new(ready(7), |_| panic!("spawned")));
        assert_eq!(poll(work.as_mut()), Poll::Ready(7));
        assert!(poll(work).is_pending());
    }

    #[test]
    fn a_future_that_panicked_is_not_spawned() {
        let mut work = pin!(SpawnOnDrop::new(async { panic!("expected") }, |_| panic!("spawned")));
        let panicked = catch_unwind(AssertUnwindSafe(|| poll::<()>(work.as_mut()))).is_err();
        assert!(panicked);
        assert!(poll(work).is_pending());
    }

    #[test]
    fn a_pending_future_is_spawned_in_its_current_state() {
        static SEEN: std::sync::Mutex<Vec<bool>> = std::sync::Mutex::new(Vec::new());
        {
            let mut work = pin!(SpawnOnDrop::new(pending::<()>(), |mut work| {
                let pending = work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
                SEEN.lock().unwrap().push(pending);
            }));
            assert!(poll(work.as_mut()).is_pending());
            assert!(SEEN.lock().unwrap().is_empty());
        }
        assert_eq!(*SEEN.lock().unwrap(), [true]);
    }
}
