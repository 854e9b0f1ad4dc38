//! Who may run an operation, and for how long.

use super::Engine;
use super::finish::{end, settle};
use super::records::{Kind, Resource};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;
use crate::rules::State;
use crate::stored::{StoredKind, StoredReply, StoredRequest};

/// The right to run one operation until the lease ends. Its fence is the resource's highest: a result is written under
/// it or not at all.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) operation: i64,
    pub(crate) resource: i64,
    pub(crate) fence: i64,
    pub(crate) addon: String,
    pub(crate) key: String,
    pub(crate) kind: Kind,
    pub(crate) plan: Option<String>,
}

/// What became of an attempt to take an operation over.
pub(crate) enum Claimed {
    /// It is ours now; ask the listener this.
    Ours(Lease, StoredRequest),
    /// It is ours now; its work is done, and the marketplace is to be told.
    Tell(Lease, StoredReply),
    /// It has an answer.
    Ended(StoredReply),
    /// Somebody works on it, or on one before it in its lane; perhaps its caller was let go before.
    Busy { accepted: bool },
    /// It failed and will be tried later.
    Deferred,
    /// It was parked: a person has to look at it.
    Parked,
}

/// Takes an operation over, if nobody works on it and its turn has come.
pub(crate) struct Claim {
    pub(crate) operation: i64,
}

impl Command for Claim {
    type Outcome = Claimed;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Claimed, LedgerError> {
        let operation = self.operation;
        // two claims of one lane come one after the other
        let resource = Resource::of_operation(on, operation).await?;
        let look =
            "SELECT kind, state, plan, request, reply, notifying, accepted_at, lease_until - {now} AS leased_for,
             scheduled_at - {now} AS rests_for FROM maitre_operations WHERE id = $1";
        let row = on.row(look, values![operation]).await?;
        let kind = Kind::read(&row.text("kind")?)?;
        match row.text("state")?.as_str() {
            "open" => {}
            "parked" => return Ok(Claimed::Parked),
            _ => return engine.reply_of_operation(&resource, row.maybe_bytes("reply")?).map(Claimed::Ended),
        }
        if row.number("leased_for")? > 0 || !lane_is_free(engine, on, &resource, operation, kind).await? {
            return Ok(Claimed::Busy { accepted: row.maybe_number("accepted_at")?.is_some() });
        }
        let plan = row.maybe_text("plan")?;
        if let Some(reply) = settled(engine, &resource, kind, plan.as_deref())? {
            end(on, operation, Some(&engine.seal_reply(&resource.addon, &resource.key, &reply))).await?;
            pass_on(on, resource.id).await?;
            settle(on, resource.id).await?;
            return Ok(Claimed::Ended(reply));
        }
        if row.number("rests_for")? > 0 {
            return Ok(Claimed::Deferred);
        }

        let state = match kind {
            Kind::Provision => State::Provisioning,
            Kind::PlanChange => State::ChangingPlan,
            Kind::Deprovision => State::Deprovisioning,
        };
        let fence = resource.fence + 1;
        let enter = "UPDATE maitre_resources SET state = $2, fence = $3, updated_at = {now} WHERE id = $1";
        on.run(enter, values![resource.id, state.as_str(), fence]).await?;
        let take = "UPDATE maitre_operations SET attempt = attempt + 1, fence = $2, lease_owner = $3,
             lease_until = {now} + $4 WHERE id = $1";
        on.run(take, values![operation, fence, &engine.owner, engine.limits.lease]).await?;
        let request = match row.maybe_bytes("request")? {
            Some(sealed) => engine.open_request(&resource.addon, &resource.key, kind, &sealed)?,
            None => StoredRequest::Deprovision,
        };
        let telling = row.flag("notifying")?;
        let reply = telling.then(|| engine.reply_of_operation(&resource, row.maybe_bytes("reply")?)).transpose()?;
        let lease =
            Lease { operation, resource: resource.id, fence, addon: resource.addon, key: resource.key, kind, plan };
        Ok(match reply {
            Some(reply) => Claimed::Tell(lease, reply),
            None => Claimed::Ours(lease, request),
        })
    }
}

/// The answer to what the resource's state has decided meanwhile: it was removed, refused, or made by another order.
fn settled(
    engine: &Engine,
    resource: &Resource,
    kind: Kind,
    plan: Option<&str>,
) -> Result<Option<StoredReply>, LedgerError> {
    let failed = |kind| Some(StoredReply::Failed { kind, message: None });
    Ok(match (kind, resource.state) {
        (Kind::Provision, State::Provisioning | State::Parked) => None,
        (Kind::Provision | Kind::PlanChange, State::Deprovisioning | State::Deprovisioned) => failed(StoredKind::Gone),
        (Kind::Provision, _) => Some(engine.reply_of(resource)?),
        (Kind::PlanChange, State::Refused) => failed(StoredKind::Unknown),
        (Kind::PlanChange, State::Parked | State::Provisioning) => failed(StoredKind::Unavailable),
        (Kind::PlanChange, _) if resource.plan.as_deref() == plan => {
            Some(StoredReply::PlanChanged { config: Vec::new(), message: None })
        }
        (Kind::Deprovision, State::Deprovisioned) => Some(StoredReply::Deprovisioned { message: None }),
        (Kind::PlanChange | Kind::Deprovision, _) => None,
    })
}

/// A removal does not wait for what a dead process left behind: it ends it.
async fn lane_is_free(
    engine: &Engine,
    on: &mut Connection<'_>,
    resource: &Resource,
    operation: i64,
    kind: Kind,
) -> Result<bool, LedgerError> {
    if kind == Kind::Deprovision {
        drop_what_waits(engine, on, resource, operation).await?;
    }
    let others = "SELECT count(*) AS others FROM maitre_operations
         WHERE resource = $1 AND state = 'open' AND id <> $2 AND (id < $2 OR lease_until > {now})";
    Ok(on.row(others, values![resource.id, operation]).await?.number("others")? == 0)
}

/// The terminal operation wins: what has not begun never will, and what a dead process began neither.
pub(super) async fn drop_what_waits(
    engine: &Engine,
    on: &mut Connection<'_>,
    resource: &Resource,
    before: i64,
) -> Result<(), LedgerError> {
    let gone = StoredReply::Failed { kind: StoredKind::Gone, message: None };
    let drop = "UPDATE maitre_operations SET state = 'cancelled', reply = $3, request = NULL, finished_at = {now}
         WHERE resource = $1 AND id < $2 AND state = 'open' AND lease_until <= {now}";
    let reply = engine.seal_reply(&resource.addon, &resource.key, &gone);
    if on.run(drop, values![resource.id, before, &reply]).await? > 0 {
        pass_on(on, resource.id).await?;
    }
    Ok(())
}

/// Whoever held an operation that was ended without him comes too late, though he may not be dead: the fence goes on,
/// unless somebody works under it.
async fn pass_on(on: &mut Connection<'_>, resource: i64) -> Result<(), LedgerError> {
    let pass_on = "UPDATE maitre_resources SET fence = fence + 1 WHERE id = $1 AND NOT EXISTS
         (SELECT 1 FROM maitre_operations WHERE resource = $1 AND state = 'open' AND lease_until > {now})";
    on.run(pass_on, values![resource]).await.map(drop)
}

/// A person says: once more, and at once. What was parked is open again, and its resource with it.
pub(crate) struct Retry {
    pub(crate) operation: i64,
}

impl Command for Retry {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let retry = "UPDATE maitre_operations SET state = 'open', attempt = 0, scheduled_at = {now}, finished_at = NULL
             WHERE id = $1 AND state IN ('open', 'parked') AND lease_until <= {now}";
        let changed = on.run(retry, values![self.operation]).await? == 1;
        let unpark = "UPDATE maitre_resources SET state = 'provisioning', updated_at = {now} WHERE state = 'parked'
             AND id = (SELECT resource FROM maitre_operations WHERE id = $1 AND kind = 'provision' AND state = 'open')";
        on.run(unpark, values![self.operation]).await?;
        Ok(changed)
    }
}

/// Makes a lease last longer; the outcome says whether it was still ours.
pub(crate) struct Renew {
    pub(crate) operation: i64,
    pub(crate) fence: i64,
}

impl Command for Renew {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let renew = "UPDATE maitre_operations SET lease_until = {now} + $3
             WHERE id = $1 AND fence = $2 AND state = 'open' AND lease_until > {now}";
        Ok(on.run(renew, values![self.operation, self.fence, engine.limits.lease]).await? == 1)
    }
}

/// Gives back what this process has not finished, so that others need not wait until its leases end. Its tries do not
/// count. The outcome says how many there were.
pub(crate) struct GiveBack;

impl Command for GiveBack {
    type Outcome = u64;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<u64, LedgerError> {
        let give_back = "UPDATE maitre_operations SET lease_until = 0, scheduled_at = {now}, attempt = attempt - 1
             WHERE state = 'open' AND lease_until > {now} AND lease_owner = $1";
        on.run(give_back, values![&engine.owner]).await
    }
}
