//! Asynchronous operations: accept (202) and progress.

use super::binding::ended_reply;
use super::context::Engine;
use super::operation::OperationState;
use super::rows::{Lease, Operation, Resource};
use super::sealed::aad;
use super::stored_reply::{StoredKind, StoredReply};
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;

/// Answers the caller of an operation with "accepted"; from then on the marketplace is notified of its completion.
pub(crate) struct MarkAccepted {
    pub(crate) operation: i64,
    /// Time until the marketplace gives up. 0 if it polls, and is not notified.
    pub(crate) deadline: Milliseconds,
}

pub(crate) enum AcceptOutcome {
    /// The operation continues; with the last progress message of the listener.
    Pending(Option<String>),
    /// The operation has ended in the meantime.
    Ended(Box<StoredReply>),
    /// An operator has to look at it.
    Parked,
}

impl Command<Engine> for MarkAccepted {
    type Outcome = AcceptOutcome;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<AcceptOutcome, LedgerError> {
        let Some(resource) = Resource::lock_by_operation(db, self.operation).await? else {
            return Ok(AcceptOutcome::Ended(Box::new(StoredReply::failure(StoredKind::Unknown))));
        };
        let accept = "UPDATE maitre_operations SET accepted_at = COALESCE(accepted_at, {now}),
             last_requested_at = {now}, completion_deadline = COALESCE(completion_deadline, {now} + NULLIF($2, 0))
             WHERE id = $1 AND state = 'open' RETURNING progress";
        if let Some(row) = db.optional_row(accept, values![self.operation, self.deadline]).await? {
            return engine.pending(&resource.addon, &resource.key, row.optional_bytes("progress")?.as_deref());
        }
        let operation = Operation::get(db, self.operation).await?;
        match operation.state {
            OperationState::Parked => Ok(AcceptOutcome::Parked),
            _ => {
                ended_reply(engine, db, &resource, &operation).await.map(|reply| AcceptOutcome::Ended(Box::new(reply)))
            }
        }
    }
}

impl Engine {
    pub(super) fn pending(
        &self,
        addon: &str,
        key: &str,
        progress: Option<&[u8]>,
    ) -> Result<AcceptOutcome, LedgerError> {
        self.open_text(&aad(addon, key, "progress"), progress).map(AcceptOutcome::Pending)
    }
}

/// Stores a progress message from the listener. Returns whether the lease was still held.
pub(crate) struct SetProgress {
    pub(crate) lease: Lease,
    pub(crate) message: String,
}

impl Command<Engine> for SetProgress {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Self { lease, message } = self;
        let sealed = engine.keys.seal(&aad(&lease.addon, &lease.key, "progress"), message.as_bytes());
        let update = "UPDATE maitre_operations SET progress = $3 WHERE id = $1 AND fence = $2 AND state = 'open'";
        Ok(db.execute(update, values![lease.operation, lease.fence, &sealed]).await? == 1)
    }
}
