//! Leases: claiming, renewing and releasing operations.

use super::binding::{Binding, ended_reply};
use super::binding_rules::BindingState;
use super::context::Engine;
use super::operation::{OperationKind, OperationState};
use super::rows::{Lease, Operation, Resource};
use super::rules::State;
use super::stored::{StoredDeprovision, StoredRequest};
use super::stored_reply::{StoredKind, StoredReply};
use super::transitions::{Overtaken, bump_fence, cancel_open, complete, restore_provisioned};
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;

/// Time after which a deprovision overtakes operations that are still running. Their processes stop them earlier, unless
/// they are paused or blocked.
const OVERTAKE_AFTER: Milliseconds = 1_500;

/// Result of an attempt to claim an operation.
pub(crate) enum ClaimOutcome {
    /// Claimed: call the listener with this request.
    Acquired(Lease, StoredRequest),
    /// Claimed: the listener has replied, and the marketplace has to be notified.
    Notify(Lease, StoredReply),
    /// The operation has a reply.
    Ended(StoredReply),
    /// Another process runs it or an earlier operation of the resource.
    Busy { accepted: bool },
    /// It failed and will be retried later.
    Delayed,
    /// An operator has to look at it.
    Parked,
}

/// Claims an operation, if no process runs it and it is next for its resource.
pub(crate) struct Claim {
    pub(crate) operation: i64,
    /// See [`Engine::lease_owner`].
    pub(crate) owner: String,
}

impl Command<Engine> for Claim {
    type Outcome = ClaimOutcome;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<ClaimOutcome, LedgerError> {
        // the row lock serializes claims of one resource
        let Some(resource) = Resource::lock_by_operation(db, self.operation).await? else {
            return Ok(ClaimOutcome::Ended(StoredReply::failure(StoredKind::Unknown)));
        };
        let operation = Operation::get(db, self.operation).await?;
        let Operation { id, kind, .. } = operation;
        match operation.state {
            OperationState::Open => {}
            OperationState::Parked => return Ok(ClaimOutcome::Parked),
            _ => return ended_reply(engine, db, &resource, &operation).await.map(ClaimOutcome::Ended),
        }
        // an earlier run of this command took the lease, but its confirmation was lost
        let is_repeated = operation.lease_left > 0 && operation.lease_owner.as_ref() == Some(&self.owner);
        if is_repeated {
            return self.claimed(engine, db, resource, &operation).await;
        }
        if operation.lease_left > 0 || !is_next_for_resource(engine, db, &resource, &operation).await? {
            return Ok(ClaimOutcome::Busy { accepted: operation.accepted_at.is_some() });
        }
        let binding = Binding::of(db, &operation).await?;
        if let Some(reply) = decided_reply(engine, &resource, &operation, binding.as_ref())? {
            complete(db, id, Some(&engine.seal_reply(&resource.addon, &resource.key, &reply))).await?;
            bump_fence(db, resource.id).await?;
            restore_provisioned(db, resource.id).await?;
            return Ok(ClaimOutcome::Ended(reply));
        }
        if operation.delay_left > 0 {
            return Ok(ClaimOutcome::Delayed);
        }

        let state = match kind {
            OperationKind::Provision => State::Provisioning,
            OperationKind::PlanChange | OperationKind::Update | OperationKind::Rotate => State::ChangingPlan,
            OperationKind::Deprovision => State::Deprovisioning,
            OperationKind::Bind | OperationKind::Unbind => resource.state,
        };
        let fence = resource.fence + 1;
        let enter = "UPDATE maitre_resources SET state = $2, fence = $3, updated_at = {now} WHERE id = $1";
        db.execute(enter, values![resource.id, state.as_str(), fence]).await?;
        let claim = "UPDATE maitre_operations SET attempt = attempt + 1, fence = $2, lease_owner = $3,
             lease_until = {now} + $4 WHERE id = $1";
        db.execute(claim, values![id, fence, &self.owner, engine.limits.lease]).await?;
        self.claimed(engine, db, Resource { fence, ..resource }, &operation).await
    }
}

impl Claim {
    async fn claimed(
        &self,
        engine: &Engine,
        db: &mut Connection<'_>,
        resource: Resource,
        operation: &Operation,
    ) -> Result<ClaimOutcome, LedgerError> {
        let kind = operation.kind;
        let is_unconfirmed = match kind {
            OperationKind::Unbind => Binding::of(db, operation).await?.is_some_and(|binding| !binding.confirmed),
            _ => !resource.confirmed,
        };
        let request = match &operation.request {
            Some(sealed) => engine.open_request(&resource, kind, sealed)?,
            None => StoredRequest::Deprovision(StoredDeprovision::default()),
        };
        let reply = if operation.notifying {
            Some(engine.reply_of_operation(&resource, operation.reply.as_deref())?)
        } else {
            None
        };
        let Resource { id, fence, addon, key, .. } = resource;
        let asks = is_unconfirmed && operation.fence == 0;
        let binding = operation.binding;
        let plan = operation.plan.clone();
        let lease = Lease {
            operation: self.operation,
            resource: id,
            fence,
            addon,
            key,
            kind,
            plan,
            asks,
            keyed: false,
            binding,
            trace: request.trace(),
        };
        Ok(match reply {
            Some(reply) => ClaimOutcome::Notify(lease, reply),
            None => ClaimOutcome::Acquired(lease, request),
        })
    }
}

/// Returns the reply if the resource's state has decided the operation: deprovisioned, refused, or already provisioned.
fn decided_reply(
    engine: &Engine,
    resource: &Resource,
    operation: &Operation,
    binding: Option<&Binding>,
) -> Result<Option<StoredReply>, LedgerError> {
    let failed = |kind| Some(StoredReply::failure(kind));
    Ok(match (operation.kind, resource.state) {
        (OperationKind::Deprovision, State::Deprovisioned) => Some(StoredReply::Deprovisioned { message: None }),
        (OperationKind::Provision, State::Provisioning | State::Parked) | (OperationKind::Deprovision, _) => None,
        (_, State::Deprovisioning | State::Deprovisioned) => failed(StoredKind::Gone),
        (OperationKind::Provision, _) => Some(engine.reply_of(resource)?),
        (_, State::Refused) => failed(StoredKind::Unknown),
        (OperationKind::Unbind, _) if binding.is_some_and(|binding| binding.state == BindingState::Unbound) => {
            Some(StoredReply::Deprovisioned { message: None })
        }
        (OperationKind::Unbind, _) => None,
        (_, State::Parked | State::Provisioning) => failed(StoredKind::Unavailable),
        (OperationKind::Bind, _) => match binding {
            Some(binding) if matches!(binding.state, BindingState::Binding | BindingState::Parked) => None,
            Some(binding) if matches!(binding.state, BindingState::Bound | BindingState::Refused) => {
                binding.reply(engine, resource)?
            }
            _ => failed(StoredKind::Gone),
        },
        (OperationKind::PlanChange, _)
            if resource.plan == operation.plan && !has_parameters(engine, resource, operation)? =>
        {
            Some(StoredReply::config_change(Vec::new()))
        }
        (OperationKind::PlanChange | OperationKind::Update | OperationKind::Rotate, _) => None,
    })
}

/// Whether a plan change also changes parameters.
fn has_parameters(engine: &Engine, resource: &Resource, operation: &Operation) -> Result<bool, LedgerError> {
    let Some(sealed) = &operation.request else { return Ok(false) };
    Ok(match engine.open_request(resource, operation.kind, sealed)? {
        StoredRequest::PlanChange(change) => change.has_parameters(),
        _ => false,
    })
}

/// Whether no earlier operation of the resource is open. A deprovision first cancels those of dead processes and, after a
/// while, all others.
async fn is_next_for_resource(
    engine: &Engine,
    db: &mut Connection<'_>,
    resource: &Resource,
    operation: &Operation,
) -> Result<bool, LedgerError> {
    if operation.kind == OperationKind::Deprovision {
        let overtaken = if operation.age < OVERTAKE_AFTER { Overtaken::Idle } else { Overtaken::All };
        cancel_open(engine, db, resource, operation.id, overtaken).await?;
    }
    let others = "SELECT count(*) AS others FROM maitre_operations
         WHERE resource_id = $1 AND state = 'open' AND id <> $2 AND (id < $2 OR lease_until > {now})";
    Ok(db.row(others, values![resource.id, operation.id]).await?.number("others")? == 0)
}

/// Renews a lease. Returns whether it was still held.
pub(crate) struct RenewLease {
    pub(crate) operation: i64,
    pub(crate) fence: i64,
}

impl Command<Engine> for RenewLease {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let renew = "UPDATE maitre_operations SET lease_until = {now} + $3
             WHERE id = $1 AND fence = $2 AND state = 'open' AND lease_until > {now}";
        Ok(db.execute(renew, values![self.operation, self.fence, engine.limits.lease]).await? == 1)
    }
}

/// Releases the leases of this process so that other processes can take over immediately; the attempts do not count.
/// Returns the number of released operations.
pub(crate) struct ReleaseLeases;

impl Command<Engine> for ReleaseLeases {
    type Outcome = u64;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<u64, LedgerError> {
        let release = "UPDATE maitre_operations SET lease_until = 0, scheduled_at = {now}, attempt = attempt - 1
             WHERE state = 'open' AND lease_until > {now} AND (lease_owner = $1 OR lease_owner LIKE $2)";
        db.execute(release, values![&engine.owner, &format!("{}/%", engine.owner)]).await
    }
}

/// Releases one lease whose result could not be written, so that a retry does not wait until it expires.
#[derive(Clone)]
pub(crate) struct ReleaseLease {
    pub(crate) operation: i64,
    pub(crate) fence: i64,
}

impl Command<Engine> for ReleaseLease {
    type Outcome = ();

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<(), LedgerError> {
        let release = "UPDATE maitre_operations SET lease_until = 0, scheduled_at = {now}
             WHERE id = $1 AND fence = $2 AND state = 'open'";
        db.execute(release, values![self.operation, self.fence]).await.map(drop)
    }
}
