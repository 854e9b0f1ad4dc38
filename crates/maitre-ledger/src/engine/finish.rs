//! An operation's result: written if its fence is still the resource's, or not at all.

use super::Engine;
use super::accept::tell;
use super::begin::after;
use super::errand::go_with;
use super::lease::Lease;
use super::records::{Kind, Resource, place};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;
use crate::rules::State;
use crate::stored::{StoredKind, StoredReply};

/// The listener's answer.
pub(crate) struct Finish {
    pub(super) lease: Lease,
    pub(super) reply: StoredReply,
    pub(super) sealed: Vec<u8>,
    /// Whether a marketplace that was told "accepted" has been told this.
    told: bool,
}

/// What became of an answer.
pub(crate) enum Finished {
    Written,
    /// A process that was paused past its lease comes too late.
    Late,
    /// The marketplace is to be told first, under the same lease.
    Tell(Lease),
}

impl Finish {
    pub(crate) fn new(engine: &Engine, lease: Lease, reply: StoredReply) -> Self {
        let sealed = engine.seal_reply(&lease.addon, &lease.key, &reply);
        Self { lease, reply, sealed, told: false }
    }

    /// The same after the marketplace was told.
    pub(crate) fn told(engine: &Engine, lease: Lease, reply: StoredReply) -> Self {
        Self { told: true, ..Self::new(engine, lease, reply) }
    }

    #[cfg(feature = "postgres")]
    pub(super) fn was_told(&self) -> bool {
        self.told
    }

    /// The vendor's own name of what was provisioned, where that is another than its key.
    pub(super) fn provider_id(&self) -> Option<&str> {
        match &self.reply {
            StoredReply::Provisioned { id, own, .. } => {
                Some(own.as_ref().unwrap_or(id).as_str()).filter(|id| *id != self.lease.key)
            }
            _ => None,
        }
    }
}

impl Command for Finish {
    type Outcome = Finished;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Finished, LedgerError> {
        let Self { lease, reply, sealed, told } = self;
        match is_ours(on, lease).await? {
            Ours::No => return Ok(Finished::Late),
            Ours::Accepted if !told => {
                tell(on, lease, sealed).await?;
                return Ok(Finished::Tell(lease.clone()));
            }
            Ours::Yes | Ours::Accepted => {}
        }
        match (lease.kind, reply) {
            (Kind::Provision, StoredReply::Provisioned { .. }) => {
                // a removal that was asked for meanwhile stays asked for
                let done = "UPDATE maitre_resources SET provider_id = $2, reply = $3, plan = $4, updated_at = {now},
                     state = CASE WHEN state = 'deprovisioning' THEN state ELSE 'provisioned' END WHERE id = $1";
                on.run(done, values![lease.resource, self.provider_id(), sealed, lease.plan.as_deref()]).await?;
            }
            (Kind::Provision, failed) if failed.is_transient() => take_down(on, lease).await?,
            (Kind::Provision, _) => {
                let refused = "UPDATE maitre_resources SET reply = $2, updated_at = {now},
                     state = CASE WHEN state = 'deprovisioning' THEN state ELSE 'refused' END WHERE id = $1";
                on.run(refused, values![lease.resource, sealed]).await?;
            }
            (Kind::PlanChange, StoredReply::PlanChanged { .. }) => plan_changed(engine, on, lease, reply).await?,
            (Kind::PlanChange, _) => {}
            (Kind::Deprovision, _) => removed(engine, on, lease).await?,
        }
        // a provision's answer stands in its resource, where a replay looks for it
        let own = (lease.kind != Kind::Provision || reply.is_transient()).then_some(&sealed[..]);
        end(on, lease.operation, own).await?;
        if lease.kind == Kind::PlanChange {
            settle(on, lease.resource).await?;
        }
        Ok(Finished::Written)
    }
}

/// Whether an operation is still this process's to write.
enum Ours {
    No,
    Yes,
    /// And its caller was let go before its end.
    Accepted,
}

/// The fence is compared on the resource's row, which is held from here to the commit.
async fn is_ours(on: &mut Connection<'_>, lease: &Lease) -> Result<Ours, LedgerError> {
    let ours =
        "SELECT o.accepted_at AS accepted_at, r.state AS state FROM maitre_resources r JOIN maitre_operations o ON o.resource = r.id
         WHERE r.id = $1 AND r.fence = $3 AND o.id = $2 AND o.fence = $3 AND o.state = 'open' {lock}";
    Ok(match on.maybe_row(ours, values![lease.resource, lease.operation, lease.fence]).await? {
        None => Ours::No,
        // who has had the resource removed meanwhile wants to know nothing of it
        Some(row) if lease.kind != Kind::Deprovision && row.text("state")? == State::Deprovisioning.as_str() => {
            Ours::Yes
        }
        Some(row) if row.maybe_number("accepted_at")?.is_some() => Ours::Accepted,
        Some(_) => Ours::Yes,
    })
}

/// Nobody will ask again, and something may have been made: remove it.
async fn take_down(on: &mut Connection<'_>, lease: &Lease) -> Result<(), LedgerError> {
    let row = "UPDATE maitre_resources SET state = 'deprovisioning', updated_at = {now} WHERE id = $1 RETURNING *";
    let resource = Resource::read(&on.row(row, values![lease.resource]).await?)?;
    after(on, &resource, Kind::Deprovision, None, None).await.map(drop)
}

/// A replayed provision carries the config of today, so the change goes into the stored reply.
async fn plan_changed(
    engine: &Engine,
    on: &mut Connection<'_>,
    lease: &Lease,
    reply: &StoredReply,
) -> Result<(), LedgerError> {
    let row = on.row("SELECT reply FROM maitre_resources WHERE id = $1", values![lease.resource]).await?;
    let sealed = match row.maybe_bytes("reply")? {
        Some(sealed) => {
            let first = engine.open_reply(&lease.addon, &lease.key, &sealed)?;
            Some(engine.seal_reply(&lease.addon, &lease.key, &first.with_config_of(reply)))
        }
        None => None,
    };
    let change = "UPDATE maitre_resources SET plan = $2, reply = $3, updated_at = {now} WHERE id = $1";
    on.run(change, values![lease.resource, lease.plan.as_deref(), sealed.as_deref()]).await.map(drop)
}

/// What was secret or a person's goes with the resource; its key and the vendor's name of it stay as a tombstone.
async fn removed(engine: &Engine, on: &mut Connection<'_>, lease: &Lease) -> Result<(), LedgerError> {
    bury(on, lease.resource).await?;
    drop_what_is_parked(engine, on, lease.resource, &lease.addon, &lease.key).await?;
    let rest =
        "UPDATE maitre_operations SET request = NULL, reply = NULL, last_error = NULL WHERE resource = $1 AND id <> $2";
    on.run(rest, values![lease.resource, lease.operation]).await?;
    go_with(on, &lease.addon, &lease.key).await?;
    let tie = format!("{} {}", lease.addon, lease.key);
    on.run("DELETE FROM maitre_sessions WHERE resource = $1", values![&tie]).await.map(drop)
}

pub(super) async fn bury(on: &mut Connection<'_>, resource: i64) -> Result<(), LedgerError> {
    let removed =
        "UPDATE maitre_resources SET state = 'deprovisioned', reply = NULL, request_hash = NULL, updated_at = {now}, deprovisioned_at = {now}
         WHERE id = $1";
    on.run(removed, values![resource]).await.map(drop)
}

/// What a person should have looked at went with the resource.
pub(super) async fn drop_what_is_parked(
    engine: &Engine,
    on: &mut Connection<'_>,
    resource: i64,
    addon: &str,
    key: &str,
) -> Result<(), LedgerError> {
    let parked = "UPDATE maitre_operations SET state = 'cancelled', reply = $2, request = NULL, finished_at = {now}
         WHERE resource = $1 AND state = 'parked'";
    let gone = engine.seal_reply(addon, key, &StoredReply::Failed { kind: StoredKind::Gone, message: None });
    on.run(parked, values![resource, &gone]).await.map(drop)
}

/// Closes an operation, with its answer unless the resource holds it. A finished request holds nothing that is needed
/// again.
pub(super) async fn end(
    on: &mut Connection<'_>,
    operation: i64,
    sealed_reply: Option<&[u8]>,
) -> Result<(), LedgerError> {
    let end = "UPDATE maitre_operations SET state = 'completed', reply = $2, request = NULL, last_error = NULL, lease_until = 0,
         finished_at = {now} WHERE id = $1";
    on.run(end, values![operation, sealed_reply]).await.map(drop)
}

/// A resource is changing as long as a plan change is open.
pub(super) async fn settle(on: &mut Connection<'_>, resource: i64) -> Result<(), LedgerError> {
    let settle = "UPDATE maitre_resources SET state = 'provisioned', updated_at = {now} WHERE id = $1
         AND state = 'changing_plan' AND NOT EXISTS (SELECT 1 FROM maitre_operations
                                                WHERE resource = $1 AND state = 'open' AND kind = 'plan_change')";
    on.run(settle, values![resource]).await.map(drop)
}

/// It did not work out this time: later again, or, when that has been said too often, a person has to look.
///
/// A removal is never given up: until it is done the customer's data is there and nobody pays for it. Nor is telling a
/// marketplace, until it waits no more.
pub(crate) struct Defer {
    pub(crate) lease: Lease,
    pub(crate) cause: String,
    /// Whether no further try will help.
    pub(crate) for_good: bool,
}

/// What became of what did not work out.
pub(crate) enum Deferred {
    Later,
    Parked,
    /// The caller was let go before: the marketplace is told that it comes to nothing, under the same lease.
    Tell(Box<(Lease, StoredReply)>),
    /// The marketplace could not be told of a removal for as long as it waited for it: it has ended that by itself.
    NotTold,
    Late,
}

impl Command for Defer {
    type Outcome = Deferred;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Deferred, LedgerError> {
        let Self { lease, cause, for_good } = self;
        let accepted = match is_ours(on, lease).await? {
            Ours::No => return Ok(Deferred::Late),
            Ours::Yes => false,
            Ours::Accepted => true,
        };
        let sealed = engine.keys.seal(&place(&lease.addon, &lease.key, "last_error"), cause.as_bytes());
        let look =
            "SELECT attempt, notifying, completion_deadline - {now} AS waits_for FROM maitre_operations WHERE id = $1";
        let row = on.row(look, values![lease.operation]).await?;
        let (attempts, telling) = (row.number("attempt")?, row.flag("notifying")?);
        let waits_no_more = row.maybe_number("waits_for")?.is_some_and(|left| left <= 0);
        if telling && waits_no_more && lease.kind == Kind::Deprovision {
            return Ok(Deferred::NotTold);
        }
        let never_given_up = lease.kind == Kind::Deprovision || telling;
        if !for_good && (attempts < engine.limits.attempts || never_given_up) {
            let later = "UPDATE maitre_operations SET lease_until = 0, last_error = $2, scheduled_at = {now} + $3 WHERE id = $1";
            on.run(later, values![lease.operation, &sealed, engine.backoff(attempts)]).await?;
            return Ok(Deferred::Later);
        }
        if accepted && !telling {
            tracing::error!(
                resource = %lease.key, addon = %lease.addon, attempts, cause,
                "gave up a {} that was accepted: the marketplace is told", lease.kind.as_str()
            );
            let failed = StoredReply::Failed { kind: StoredKind::Unavailable, message: None };
            tell(on, lease, &engine.seal_reply(&lease.addon, &lease.key, &failed)).await?;
            return Ok(Deferred::Tell(Box::new((lease.clone(), failed))));
        }
        tracing::error!(
            resource = %lease.key, addon = %lease.addon, attempts, cause,
            "parked a {}: look at the cause, then retry or abandon it", lease.kind.as_str()
        );
        let park =
            "UPDATE maitre_operations SET state = 'parked', lease_until = 0, last_error = $2, finished_at = {now}
             WHERE id = $1";
        on.run(park, values![lease.operation, &sealed]).await?;
        if lease.kind == Kind::Provision {
            let parked = "UPDATE maitre_resources SET state = 'parked', updated_at = {now}
                 WHERE id = $1 AND state = 'provisioning'";
            on.run(parked, values![lease.resource]).await?;
        } else {
            settle(on, lease.resource).await?;
        }
        Ok(Deferred::Parked)
    }
}

impl Engine {
    /// Doubles up to the limit; between half and all of it, so that what failed together does not come back together.
    pub(super) fn backoff(&self, attempts: i64) -> i64 {
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(30);
        let full = self.limits.first_backoff.saturating_mul(1 << doublings).min(self.limits.last_backoff);
        let share = i64::from(uuid::Uuid::new_v4().as_bytes()[0]);
        full / 2 + full / 2 * share / 255
    }
}

impl StoredReply {
    /// Whether it says nothing for good.
    fn is_transient(&self) -> bool {
        matches!(self, Self::Failed { kind: StoredKind::Unavailable, .. })
    }
}
