//! Work that goes on when nobody waits for it any more.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Work of any kind that can be handed to a runtime.
type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future that outlives whoever awaits it: dropped before its end, it is handed to a runtime, which brings it there.
///
/// Axum drops a handler when its caller hangs up, and a time limit drops what takes longer. Work in a task of its own
/// would survive both, but a task for each call is paid for by all those that nobody leaves.
///
/// ```
/// use std::sync::Mutex;
/// use std::future::Future;
/// use std::pin::Pin;
/// use maitre_core::SpawnOnDrop;
///
/// static HANDED_OVER: Mutex<Vec<Pin<Box<dyn Future<Output = ()> + Send>>>> = Mutex::new(Vec::new());
///
/// // in a program: |work| drop(tokio::spawn(work))
/// let work = SpawnOnDrop::new(async { 7 }, |work| HANDED_OVER.lock().unwrap().push(work));
/// drop(work);
/// assert_eq!(HANDED_OVER.lock().unwrap().len(), 1, "the caller has gone, and the work is not lost");
/// ```
pub struct SpawnOnDrop<T: Send + 'static> {
    /// Empty at its end, and while it is looked at: what panicked is not looked at again.
    work: Option<Work<T>>,
    hand_over: fn(Work<()>),
}

impl<T: Send + 'static> SpawnOnDrop<T> {
    /// `work` for whoever awaits this; `hand_over` gets what is left of it when that one leaves.
    pub fn new(work: impl Future<Output = T> + Send + 'static, hand_over: fn(Work<()>)) -> Self {
        Self { work: Some(Box::pin(work)), hand_over }
    }
}

impl<T: Send + 'static> Future for SpawnOnDrop<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(mut work) = self.work.take() else { return Poll::Pending }; // it has ended before
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
            (self.hand_over)(Box::pin(async move { drop(work.await) }));
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

    fn look<T: Send + 'static>(work: Pin<&mut SpawnOnDrop<T>>) -> Poll<T> {
        work.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_has_ended_is_handed_to_nobody() {
        let mut work = pin!(SpawnOnDrop::new(ready(7), |_| panic!("handed over")));
        assert_eq!(look(work.as_mut()), Poll::Ready(7));
        assert!(look(work).is_pending());
    }

    #[test]
    fn what_panicked_is_handed_to_nobody() {
        let mut work = pin!(SpawnOnDrop::new(async { panic!("as told") }, |_| panic!("handed over")));
        let panicked = catch_unwind(AssertUnwindSafe(|| look::<()>(work.as_mut()))).is_err();
        assert!(panicked);
        assert!(look(work).is_pending());
    }

    #[test]
    fn what_was_looked_at_is_handed_over_where_it_stands() {
        static SEEN: std::sync::Mutex<Vec<bool>> = std::sync::Mutex::new(Vec::new());
        {
            let mut work = pin!(SpawnOnDrop::new(pending::<()>(), |mut work| {
                let waits = work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
                SEEN.lock().unwrap().push(waits);
            }));
            assert!(look(work.as_mut()).is_pending());
            assert!(SEEN.lock().unwrap().is_empty());
        }
        assert_eq!(*SEEN.lock().unwrap(), [true]);
    }
}
