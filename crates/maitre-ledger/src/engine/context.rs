//! Context of every command.

use super::rules::UnknownPolicy;
use crate::db::Milliseconds;
use crate::keys::Keys;

/// Session value that ties a session to the resource for which it was opened.
pub(crate) const SESSION_RESOURCE: &str = "maitre.resource";

/// Keys, limits and the name of this process. It holds no state.
pub(crate) struct Engine {
    pub(crate) keys: Keys,
    /// Unique name of this process as a lease owner.
    pub(crate) owner: String,
    pub(crate) limits: Limits,
}

/// Lease, retry and retention settings, and the policy for unknown resources.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) lease: Milliseconds,
    pub(crate) max_attempts: i64,
    pub(crate) first_backoff: Milliseconds,
    pub(crate) max_backoff: Milliseconds,
    /// Time for which a failed provision is retried after its last request.
    pub(crate) abandon_after: Milliseconds,
    /// Retention of tombstones; forever if `None`.
    pub(crate) retention: Option<Milliseconds>,
    pub(crate) unknown: UnknownPolicy,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lease: 30_000,
            max_attempts: 12,
            first_backoff: 1_000,
            max_backoff: 15 * 60_000,
            abandon_after: 24 * 60 * 60_000,
            retention: None,
            unknown: UnknownPolicy::default(),
        }
    }
}

impl Engine {
    /// Returns a lease owner for one command: this process's name and a unique part, by which a command that is run again
    /// recognizes the lease that it took before.
    pub(crate) fn lease_owner(&self) -> String {
        format!("{}/{}", self.owner, uuid::Uuid::new_v4().simple())
    }

    /// Returns the delay before the next attempt: doubled per attempt up to the limit, and between half and all of it
    /// so that operations that failed together do not retry together.
    pub(crate) fn backoff(&self, attempts: i64) -> Milliseconds {
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(30);
        let full = self.limits.first_backoff.saturating_mul(1 << doublings).min(self.limits.max_backoff);
        let share = i64::from(uuid::Uuid::new_v4().as_bytes()[0]);
        full / 2 + full / 2 * share / 255
    }
}
