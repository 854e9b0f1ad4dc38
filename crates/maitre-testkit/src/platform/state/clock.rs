use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::Notify;

/// Clock of a [`Platform`](crate::platform::Platform). It runs with the system's clock until it is changed or
/// stopped. It decides when grants and tokens expire, pending operations end, webhooks are retried and the rate limit
/// refills.
///
/// ```
/// use maitre_testkit::platform::Platform;
/// use std::time::Duration;
///
/// use time::macros::datetime;
///
/// let platform = Platform::new("tally", "password", "client secret");
/// let clock = platform.clock();
/// clock.stop_at(datetime!(2026-03-04 5:06:07 UTC));
/// clock.advance(Duration::from_mins(4));
/// assert_eq!(clock.now(), datetime!(2026-03-04 5:10:07 UTC));
/// ```
///
/// A clone refers to the same clock.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    reading: Mutex<Reading>,
    bell: Notify,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Reading {
    Ahead(time::Duration),
    Stopped(OffsetDateTime),
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner { reading: Mutex::new(Reading::Ahead(time::Duration::ZERO)), bell: Notify::new() }))
    }

    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        match *self.reading() {
            Reading::Ahead(offset) => OffsetDateTime::now_utc().saturating_add(offset),
            Reading::Stopped(instant) => instant,
        }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = time::Duration::try_from(by).unwrap_or(time::Duration::MAX);
        match &mut *self.reading() {
            Reading::Ahead(offset) => *offset = offset.saturating_add(by),
            Reading::Stopped(instant) => *instant = instant.saturating_add(by),
        }
        self.notify();
    }

    /// Sets the clock to this time. A running clock continues from there, a stopped one stays stopped.
    pub fn set(&self, time: OffsetDateTime) {
        match &mut *self.reading() {
            Reading::Ahead(offset) => *offset = time - OffsetDateTime::now_utc(),
            Reading::Stopped(instant) => *instant = time,
        }
        self.notify();
    }

    /// Stops the clock at this time: from then on only [`advance`](Self::advance) and [`set`](Self::set) move it.
    pub fn stop_at(&self, instant: OffsetDateTime) {
        *self.reading() = Reading::Stopped(instant);
        self.notify();
    }

    /// Stops the clock at the current time.
    pub fn stop(&self) {
        self.stop_at(self.now());
    }

    /// Returns the reading for a snapshot.
    pub(crate) fn reading_to_keep(&self) -> Reading {
        *self.reading()
    }

    /// Continues from a reading of a snapshot.
    pub(crate) fn go_on(&self, reading: Reading) {
        *self.reading() = reading;
        self.notify();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        matches!(*self.reading(), Reading::Stopped(_))
    }

    /// Wakes the task that waits in [`notified`](Self::notified), now or in its next call.
    pub(crate) fn notify(&self) {
        self.0.bell.notify_one();
    }

    /// Completes when the clock was changed or an event may be due. Only one task may wait.
    pub(crate) fn notified(&self) -> impl Future<Output = ()> {
        self.0.bell.notified()
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}
