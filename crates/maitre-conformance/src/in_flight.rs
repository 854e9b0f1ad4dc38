//! Requests of a run that are not answered yet.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Number of requests that may create something and are not answered yet.
pub(crate) struct InFlight(watch::Sender<usize>);

/// Guard of one such request.
pub(crate) struct InFlightGuard(watch::Sender<usize>);

impl InFlight {
    pub(crate) fn new() -> Self {
        Self(watch::channel(0).0)
    }

    pub(crate) fn begin(&self) -> InFlightGuard {
        self.0.send_modify(|count| *count += 1);
        InFlightGuard(self.0.clone())
    }

    /// Waits until all requests are answered, at most this long.
    pub(crate) async fn wait(&self, at_most: Duration) {
        let mut count = self.0.subscribe();
        let _ = timeout(at_most, count.wait_for(|count| *count == 0)).await;
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
