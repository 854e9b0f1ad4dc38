//! Results of operations, written only while the lease's fencing token is the resource's highest.

use super::binding::{Binding, bound, unbound};
use super::binding_rules::BindingState;
use super::context::Engine;
use super::operation::OperationKind;
use super::rows::{Lease, Operation, is_uuid};
use super::rules::State;
use super::sealed::aad;
use super::stored_reply::{StoredKind, StoredReply};
use super::transitions::{
    complete, deprovisioned, forget_unconfirmed, restore_provisioned, schedule_deprovision, start_notifying,
};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Outcome of recording a result.
pub(crate) enum Recorded {
    Written,
    /// Discarded: the lease was lost to another process.
    Fenced,
    /// The caller was answered "accepted": the marketplace has to be notified, under the same lease.
    Notify(Box<(Lease, StoredReply)>),
    /// The notification deadline of a deprovision has passed; the marketplace has given up.
    DeadlinePassed,
}

/// Records the reply of the listener.
pub(crate) struct Complete {
    pub(super) lease: Lease,
    pub(super) reply: StoredReply,
    pub(super) sealed: Vec<u8>,
    /// Whether the marketplace was notified of the reply to an accepted operation.
    pub(super) notified: bool,
}

impl Complete {
    pub(crate) fn new(engine: &Engine, lease: Lease, reply: StoredReply) -> Self {
        let sealed = engine.seal_reply(&lease.addon, &lease.key, &reply);
        Self { lease, reply, sealed, notified: false }
    }

    /// The same after the marketplace was notified.
    pub(crate) fn notified(engine: &Engine, lease: Lease, reply: StoredReply) -> Self {
        Self { notified: true, ..Self::new(engine, lease, reply) }
    }

    /// Returns the vendor's id of the provisioned resource if it differs from the key.
    pub(super) fn provider_id(&self) -> Option<&str> {
        match &self.reply {
            StoredReply::Provisioned { id, own, .. } => {
                Some(own.as_ref().unwrap_or(id).as_str()).filter(|id| *id != self.lease.key)
            }
            _ => None,
        }
    }
}

impl Command<Engine> for Complete {
    type Outcome = Recorded;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Recorded, LedgerError> {
        let Self { lease, reply, sealed, notified } = self;
        match check_fence(db, lease).await? {
            Ownership::Lost => return Ok(Recorded::Fenced),
            Ownership::Accepted if !notified => {
                start_notifying(db, lease.operation, sealed).await?;
                return Ok(Recorded::Notify(Box::new((lease.clone(), reply.clone()))));
            }
            Ownership::Held | Ownership::Accepted => {}
        }
        if matches!(lease.kind, OperationKind::Provision | OperationKind::Bind) && reply.is_not_recorded() {
            self.forget(db).await?;
            return Ok(Recorded::Written);
        }
        match (lease.kind, reply) {
            (OperationKind::Provision, StoredReply::Provisioned { .. }) => {
                // a deprovision requested in the meantime stays requested
                let update = "UPDATE maitre_resources SET provider_id = $2, reply = $3, plan = $4, updated_at = {now},
                     state = CASE WHEN state = 'deprovisioning' THEN state ELSE 'provisioned' END WHERE id = $1";
                db.execute(update, values![lease.resource, self.provider_id(), sealed, lease.plan.as_deref()]).await?;
            }
            // the provision failed for good but may have created something
            (OperationKind::Provision, failed) if failed.is_transient() => {
                schedule_deprovision(engine, db, lease.resource, lease.trace.as_ref()).await?;
            }
            (OperationKind::Provision, _) => {
                let update = "UPDATE maitre_resources SET reply = $2, updated_at = {now},
                     state = CASE WHEN state = 'deprovisioning' THEN state ELSE 'refused' END WHERE id = $1";
                db.execute(update, values![lease.resource, sealed]).await?;
            }
            (kind, StoredReply::PlanChanged { .. }) if kind.is_change() => {
                changed(engine, db, lease, reply).await?;
            }
            (OperationKind::PlanChange | OperationKind::Update | OperationKind::Rotate, _) => {}
            (OperationKind::Bind, _) => self.bound(engine, db).await?,
            (OperationKind::Unbind, _) => {
                if let Some(binding) = lease.binding {
                    unbound(engine, db, &lease.addon, &lease.key, binding).await?;
                }
            }
            // a mistyped id would be kept forever; a provision has a UUID as its key
            (OperationKind::Deprovision, StoredReply::Failed { .. }) if !lease.keyed && !is_uuid(&lease.key) => {
                let update = "UPDATE maitre_resources SET state = 'provisioned' WHERE id = $1";
                db.execute(update, values![lease.resource]).await?;
            }
            (OperationKind::Deprovision, _) => deprovisioned(engine, db, lease).await?,
        }
        // the reply of a provision is stored in its resource, where a replay looks for it, and that of a bind in its binding
        let is_stored_there = matches!(lease.kind, OperationKind::Provision | OperationKind::Bind);
        let own = (!is_stored_there || reply.is_transient()).then_some(&sealed[..]);
        complete(db, lease.operation, own).await?;
        if lease.kind.is_change() {
            restore_provisioned(db, lease.resource).await?;
        }
        let is_refused = lease.kind != OperationKind::Provision && matches!(reply, StoredReply::Failed { .. });
        // an unbind says nothing about its resource
        if is_refused || lease.kind == OperationKind::Unbind {
            forget_unconfirmed(db, lease.resource).await?;
        }
        Ok(Recorded::Written)
    }
}

impl Complete {
    /// Records the reply to a bind. About an unknown resource the listener was asked: it exists.
    async fn bound(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<(), LedgerError> {
        let Self { lease, reply, .. } = self;
        let Some(id) = lease.binding else { return Ok(()) };
        let Some(binding) = Binding::get(db, id).await? else { return Ok(()) };
        let aad = binding.aad(&lease.addon, &lease.key, "reply");
        let sealed = engine.keys.seal(&aad, &serde_json::to_vec(reply).unwrap_or_default());
        let is_bound = matches!(reply, StoredReply::Bound(_));
        bound(db, id, if is_bound { BindingState::Bound } else { BindingState::Refused }, &sealed).await?;
        if is_bound {
            let confirm = "UPDATE maitre_resources SET confirmed = TRUE, plan = COALESCE(plan, $2), adopted_at = {now}
                 WHERE id = $1 AND NOT confirmed";
            db.execute(confirm, values![lease.resource, lease.plan.as_deref()]).await?;
        }
        Ok(())
    }

    /// Deletes the records of a request that may succeed when it is sent again, unless a removal was requested.
    async fn forget(&self, db: &mut Connection<'_>) -> Result<(), LedgerError> {
        let Self { lease, sealed, .. } = self;
        complete(db, lease.operation, Some(sealed)).await?;
        if let Some(binding) = lease.binding {
            let delete = "DELETE FROM maitre_bindings WHERE id = $1 AND state = 'binding'";
            if db.execute(delete, values![binding]).await? == 1 {
                let detach = "UPDATE maitre_operations SET binding_id = NULL WHERE binding_id = $1";
                db.execute(detach, values![binding]).await?;
            }
            return forget_unconfirmed(db, lease.resource).await;
        }
        // changes that wait for the provision end with it
        let delete = "DELETE FROM maitre_resources WHERE id = $1 AND state = 'provisioning'";
        if db.execute(delete, values![lease.resource]).await? == 1 {
            db.execute("DELETE FROM maitre_operations WHERE resource_id = $1", values![lease.resource]).await?;
        }
        Ok(())
    }
}

/// Whether this process may still write the result of an operation.
enum Ownership {
    Lost,
    Held,
    /// Held, and the caller was answered "accepted".
    Accepted,
}

/// Compares the fencing token with the resource's, whose row stays locked until the commit.
async fn check_fence(db: &mut Connection<'_>, lease: &Lease) -> Result<Ownership, LedgerError> {
    let select = "SELECT o.completion_deadline AS deadline, r.state AS state
         FROM maitre_resources r JOIN maitre_operations o ON o.resource_id = r.id
         WHERE r.id = $1 AND r.fence = $3 AND o.id = $2 AND o.fence = $3 AND o.state = 'open' {lock}";
    Ok(match db.optional_row(select, values![lease.resource, lease.operation, lease.fence]).await? {
        None => Ownership::Lost,
        // no notification is sent once the customer has requested the deprovision
        Some(row)
            if lease.kind != OperationKind::Deprovision && row.text("state")? == State::Deprovisioning.as_str() =>
        {
            Ownership::Held
        }
        // a marketplace without a deadline polls
        Some(row) if row.optional_number("deadline")?.is_some() => Ownership::Accepted,
        Some(_) => Ownership::Held,
    })
}

/// Merges the new values into the stored reply, because a replayed provision returns the current config. A resource about
/// which the listener was asked is adopted.
async fn changed(
    engine: &Engine,
    db: &mut Connection<'_>,
    lease: &Lease,
    reply: &StoredReply,
) -> Result<(), LedgerError> {
    let row = db.row("SELECT reply FROM maitre_resources WHERE id = $1", values![lease.resource]).await?;
    let sealed = match row.optional_bytes("reply")? {
        Some(sealed) => {
            let provisioned = engine.open_reply(&lease.addon, &lease.key, &sealed)?;
            Some(engine.seal_reply(&lease.addon, &lease.key, &provisioned.changed_by(reply)))
        }
        None => None,
    };
    let update =
        "UPDATE maitre_resources SET plan = COALESCE($2, plan), reply = $3, updated_at = {now}, confirmed = TRUE,
         adopted_at = CASE WHEN confirmed THEN adopted_at ELSE {now} END WHERE id = $1";
    db.execute(update, values![lease.resource, lease.plan.as_deref(), sealed.as_deref()]).await.map(drop)
}

/// Schedules a retry with backoff, or parks the operation after the last attempt.
///
/// A deprovision is never parked: until it completes the customer's data exists without being paid for. A notification
/// is retried until its deadline.
pub(crate) struct RetryOrPark {
    pub(crate) lease: Lease,
    pub(crate) error: String,
    /// Whether a retry cannot help.
    pub(crate) permanent: bool,
}

impl Command<Engine> for RetryOrPark {
    type Outcome = Recorded;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Recorded, LedgerError> {
        let Self { lease, error, permanent } = self;
        let accepted = match check_fence(db, lease).await? {
            Ownership::Lost => return Ok(Recorded::Fenced),
            Ownership::Held => false,
            Ownership::Accepted => true,
        };
        let sealed = engine.keys.seal(&aad(&lease.addon, &lease.key, "last_error"), error.as_bytes());
        let Operation { attempt, notifying, deadline_left, .. } = Operation::get(db, lease.operation).await?;
        if notifying && deadline_left.is_some_and(|left| left <= 0) && lease.kind == OperationKind::Deprovision {
            return Ok(Recorded::DeadlinePassed);
        }
        let never_parked = matches!(lease.kind, OperationKind::Deprovision | OperationKind::Unbind) || notifying;
        if !permanent && (attempt < engine.limits.max_attempts || never_parked) {
            let retry = "UPDATE maitre_operations SET lease_until = 0, last_error = $2, scheduled_at = {now} + $3
                 WHERE id = $1";
            db.execute(retry, values![lease.operation, &sealed, engine.backoff(attempt)]).await?;
            return Ok(Recorded::Written);
        }
        let kind = lease.kind.as_str();
        if accepted && !notifying {
            tracing::error!(
                resource = %lease.key, addon = %lease.addon, kind, attempt, error,
                "accepted operation failed for good: notifying the marketplace"
            );
            let failed = StoredReply::failure(StoredKind::Unavailable);
            start_notifying(db, lease.operation, &engine.seal_reply(&lease.addon, &lease.key, &failed)).await?;
            return Ok(Recorded::Notify(Box::new((lease.clone(), failed))));
        }
        tracing::error!(
            resource = %lease.key, addon = %lease.addon, kind, attempt, error,
            "operation parked: fix the cause, then retry or abandon it"
        );
        let park =
            "UPDATE maitre_operations SET state = 'parked', lease_until = 0, last_error = $2, finished_at = {now}
             WHERE id = $1";
        db.execute(park, values![lease.operation, &sealed]).await?;
        if lease.kind == OperationKind::Provision {
            let park = "UPDATE maitre_resources SET state = 'parked', updated_at = {now}
                 WHERE id = $1 AND state = 'provisioning'";
            db.execute(park, values![lease.resource]).await?;
        } else {
            if let (OperationKind::Bind, Some(binding)) = (lease.kind, lease.binding) {
                let park = "UPDATE maitre_bindings SET state = 'parked', updated_at = {now} WHERE id = $1 AND state = 'binding'";
                db.execute(park, values![binding]).await?;
            }
            restore_provisioned(db, lease.resource).await?;
        }
        Ok(Recorded::Written)
    }
}
