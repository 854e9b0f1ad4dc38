//! Count of running listener calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Count of running listener calls. Clones share the count.
///
/// ```
/// use maitre_core::InFlight;
///
/// let in_flight = InFlight::default();
/// let running = in_flight.enter();
/// assert_eq!(in_flight.count(), 1);
/// drop(running);
/// assert_eq!(in_flight.count(), 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<AtomicUsize>);

impl InFlight {
    /// Adds a call, which ends when the returned guard is dropped.
    #[must_use]
    pub fn enter(&self) -> Running {
        self.0.fetch_add(1, Ordering::AcqRel);
        Running(self.clone())
    }

    /// Returns the number of running calls.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// Guard of one running call; see [`InFlight::enter`].
#[derive(Debug)]
pub struct Running(InFlight);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}
