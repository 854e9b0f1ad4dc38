//! Every change of the records: one command, one transaction.

mod accept;
mod begin;
mod erase;
mod errand;
mod finish;
mod lease;
mod mark;
mod records;
mod sweep;
#[cfg(feature = "postgres")]
mod together;
mod value;

pub(crate) use accept::{Accept, Accepted, Say};
pub(crate) use begin::{AskDeprovision, AskPlanChange, AskProvision, Begun};
pub(crate) use erase::Erase;
pub(crate) use errand::{
    Decide, DueErrands, EndErrand, Ended, Note, RenewErrand, TakeErrand, Which, cause_at, payload_at,
};
pub(crate) use finish::{Defer, Deferred, Finish, Finished};
pub(crate) use lease::{Claim, Claimed, GiveBack, Lease, Renew, Retry};
pub(crate) use mark::Mark;
pub(crate) use records::{Find, Kind, key_of, place};
pub use records::{OperationKind, OperationState};
pub(crate) use sweep::Sweep;
#[cfg(feature = "postgres")]
pub(crate) use together::Together;
pub(crate) use value::{Hold, Of, ReadValue, Reconfigure, WriteValue, value_at};

use crate::db::Milliseconds;
use crate::seal::Keys;

/// The session value that ties a session to the resource it was opened for.
pub(crate) const RESOURCE: &str = "maitre.resource";

/// How often and how long things are tried.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) lease: Milliseconds,
    pub(crate) attempts: i64,
    pub(crate) first_backoff: Milliseconds,
    pub(crate) last_backoff: Milliseconds,
    /// How long a provision that nobody asks for any more is tried.
    pub(crate) patience: Milliseconds,
    /// How long a tombstone is kept; for ever if nothing is said.
    pub(crate) retention: Option<Milliseconds>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lease: 30_000,
            attempts: 12,
            first_backoff: 1_000,
            last_backoff: 15 * 60_000,
            patience: 24 * 60 * 60_000,
            retention: None,
        }
    }
}

/// What every command needs to know: the keys, the limits, and in whose name it acts. It holds no state.
pub(crate) struct Engine {
    pub(crate) keys: Keys,
    pub(crate) owner: String,
    pub(crate) limits: Limits,
}
