//! Lifecycle calls and their retries.

use std::sync::{Mutex, MutexGuard, PoisonError};

use maitre_testkit::platform::Install;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// Lifecycle call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Lifecycle {
    Provision,
    /// The new plan.
    PlanChange(String),
    Deprovision,
    /// An action of the contract, and the text of its field.
    Action {
        name: String,
        value: String,
    },
    /// A request for the state of the pending operation.
    Poll,
}

impl Lifecycle {
    /// Returns the call of an action without a field.
    pub(crate) fn action(name: &str) -> Self {
        Self::Action { name: name.to_owned(), value: String::new() }
    }
}

/// Scheduled retry of a lifecycle call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Retry {
    pub(crate) uuid: String,
    pub(crate) call: Lifecycle,
    /// Number of attempts so far.
    pub(crate) attempts: u32,
    /// Time of the retry, by the marketplace's clock.
    pub(crate) due: OffsetDateTime,
}

impl Retry {
    /// Creates a retry that is due at `now`.
    pub(crate) fn immediate(install: &Install, call: Lifecycle, now: OffsetDateTime) -> Self {
        Self { uuid: install.uuid().to_owned(), call, attempts: 0, due: now }
    }
}

/// Scheduled retries, at most one per install.
#[derive(Debug, Default)]
pub(crate) struct Retries(Mutex<Vec<Retry>>);

impl Retries {
    /// Schedules a retry in place of an earlier one of the same install.
    pub(crate) fn schedule(&self, retry: Retry) {
        let mut retries = self.list();
        retries.retain(|known| known.uuid != retry.uuid);
        retries.push(retry);
    }

    pub(crate) fn find(&self, uuid: &str) -> Option<Retry> {
        self.list().iter().find(|retry| retry.uuid == uuid).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Retry> {
        self.list().clone()
    }

    pub(crate) fn clear(&self) {
        self.list().clear();
    }

    /// Removes and returns the retries that are due.
    pub(crate) fn take_due(&self, now: OffsetDateTime) -> Vec<Retry> {
        self.list().extract_if(.., |retry| retry.due <= now).collect()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Retry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns how long the marketplace waits before the next attempt: one second, doubled after each attempt, at most one hour.
pub(crate) fn backoff(attempts: u32) -> Duration {
    Duration::seconds(1_i64 << attempts.saturating_sub(1).min(12)).min(Duration::HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_up_to_an_hour() {
        let seconds = [1, 2, 3, 12, 13, 99].map(|attempts| backoff(attempts).whole_seconds());
        assert_eq!(seconds, [1, 2, 4, 2_048, 3_600, 3_600]);
    }
}
