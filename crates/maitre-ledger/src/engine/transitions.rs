//! State changes of resources and operations, shared by the commands.

use maitre_core::TraceParent;

use super::context::Engine;
use super::operation::OperationKind;
use super::rows::{Lease, Resource, key_of};
use super::rules::State;
use super::stored_reply::{StoredKind, StoredReply};
use crate::db::{Connection, Milliseconds, values};
use crate::error::LedgerError;

/// Sets the state of a resource and increments its fencing token.
pub(super) async fn set_state(
    db: &mut Connection<'_>,
    resource: &Resource,
    state: State,
) -> Result<Resource, LedgerError> {
    let update =
        "UPDATE maitre_resources SET state = $2, fence = fence + 1, updated_at = {now} WHERE id = $1 RETURNING *";
    Resource::read(&db.row(update, values![resource.id, state.as_str()]).await?)
}

/// Inserts the row of a resource that the ledger has never seen, for the operation that asks the listener about it.
/// Returns `None` if another process has inserted a row with this key.
///
/// The fencing tokens of a resource that was lost in a restore begin again, at the time: above all earlier ones.
pub(super) async fn insert_unconfirmed(
    db: &mut Connection<'_>,
    addon: &str,
    id: &str,
    state: State,
) -> Result<Option<Resource>, LedgerError> {
    let insert = "INSERT INTO maitre_resources (addon, key, state, confirmed, fence, created_at, updated_at)
         VALUES ($1, $2, $3, FALSE, {now}, {now}, {now}) ON CONFLICT (addon, key) DO NOTHING RETURNING *";
    let row = db.optional_row(insert, values![addon, &*key_of(id), state.as_str()]).await?;
    row.map(|row| Resource::read(&row)).transpose()
}

/// Deletes a resource that the listener does not know, and its operations, unless more of them are open or parked. A
/// deprovisioned one stays as a tombstone.
pub(super) async fn forget_unconfirmed(db: &mut Connection<'_>, resource: i64) -> Result<(), LedgerError> {
    let forget = "DELETE FROM maitre_resources WHERE id = $1 AND NOT confirmed
         AND state IN ('provisioned', 'changing_plan') AND NOT EXISTS
         (SELECT 1 FROM maitre_operations WHERE resource_id = $1 AND state IN ('open', 'parked'))";
    if db.execute(forget, values![resource]).await? == 1 {
        db.execute("DELETE FROM maitre_operations WHERE resource_id = $1", values![resource]).await?;
        db.execute("DELETE FROM maitre_bindings WHERE resource_id = $1", values![resource]).await?;
    }
    Ok(())
}

/// Records an operation that this process runs immediately, under a lease of `owner`, and sets its id in the lease.
pub(super) async fn start(
    engine: &Engine,
    db: &mut Connection<'_>,
    mut lease: Lease,
    owner: &str,
    sealed_request: Option<&[u8]>,
    sealed_hash: Option<&[u8]>,
) -> Result<Lease, LedgerError> {
    let insert = "INSERT INTO maitre_operations (resource_id, kind, state, plan, request, attempt, fence, lease_owner,
         lease_until, scheduled_at, requested_at, last_requested_at, request_hash, binding_id)
         VALUES ($1, $2, 'open', $3, $4, 1, $5, $6, {now} + $7, {now}, {now}, {now}, $8, $9) {returning id}";
    let Lease { resource, fence, kind, plan, binding, .. } = &lease;
    let duration = engine.limits.lease;
    let plan = plan.as_deref();
    let values =
        values![*resource, kind.as_str(), plan, sealed_request, *fence, owner, duration, sealed_hash, *binding];
    lease.operation = db.insert(insert, values).await?.ok_or_else(no_operation)?;
    Ok(lease)
}

/// Records an operation that runs after the resource's open ones, and returns its id.
pub(super) async fn enqueue(
    db: &mut Connection<'_>,
    resource: &Resource,
    kind: OperationKind,
    plan: Option<&str>,
    sealed_request: Option<&[u8]>,
    sealed_hash: Option<&[u8]>,
    binding: Option<i64>,
) -> Result<i64, LedgerError> {
    let insert = "INSERT INTO maitre_operations (resource_id, kind, state, plan, request, scheduled_at, requested_at,
         last_requested_at, request_hash, binding_id)
         VALUES ($1, $2, 'open', $3, $4, {now}, {now}, {now}, $5, $6) {returning id}";
    let values = values![resource.id, kind.as_str(), plan, sealed_request, sealed_hash, binding];
    db.insert(insert, values).await?.ok_or_else(no_operation)
}

fn no_operation() -> LedgerError {
    LedgerError::corrupt("an operation was not inserted")
}

/// Schedules a deprovision behind the open operations of a resource, and returns its id. `trace` is that of its cause.
pub(super) async fn schedule_deprovision(
    engine: &Engine,
    db: &mut Connection<'_>,
    resource: i64,
    trace: Option<&TraceParent>,
) -> Result<i64, LedgerError> {
    let update = "UPDATE maitre_resources SET state = 'deprovisioning', updated_at = {now} WHERE id = $1 RETURNING *";
    let resource = Resource::read(&db.row(update, values![resource]).await?)?;
    let sealed = engine.seal_deprovision(&resource, trace);
    enqueue(db, &resource, OperationKind::Deprovision, None, sealed.as_deref(), None, None).await
}

/// Open operations over which a deprovision wins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Overtaken {
    /// Those that no live process is running.
    Idle,
    /// All, also those under a lease: their results will be discarded.
    All,
}

/// Cancels the open operations with an id below `before` because of a deprovision.
pub(super) async fn cancel_open(
    engine: &Engine,
    db: &mut Connection<'_>,
    resource: &Resource,
    before: i64,
    overtaken: Overtaken,
) -> Result<(), LedgerError> {
    let cancel = "UPDATE maitre_operations SET state = 'cancelled', reply = $3, request = NULL, finished_at = {now}
         WHERE resource_id = $1 AND id < $2 AND state = 'open' AND lease_until <= {now} + $4";
    let reply = engine.seal_reply(&resource.addon, &resource.key, &StoredReply::failure(StoredKind::Gone));
    let lease_left: Milliseconds = match overtaken {
        Overtaken::Idle => 0,
        Overtaken::All => Milliseconds::MAX / 4,
    };
    if db.execute(cancel, values![resource.id, before, &reply, lease_left]).await? > 0 {
        bump_fence(db, resource.id).await?;
    }
    Ok(())
}

/// Cancels the parked operations of a resource that is deprovisioned.
pub(super) async fn cancel_parked(
    engine: &Engine,
    db: &mut Connection<'_>,
    resource: i64,
    addon: &str,
    key: &str,
) -> Result<(), LedgerError> {
    let cancel = "UPDATE maitre_operations SET state = 'cancelled', reply = $2, request = NULL, finished_at = {now}
         WHERE resource_id = $1 AND state = 'parked'";
    let reply = engine.seal_reply(addon, key, &StoredReply::failure(StoredKind::Gone));
    db.execute(cancel, values![resource, &reply]).await.map(drop)
}

/// Cancels the parked or reopened provision that a new provision replaces.
pub(super) async fn supersede(
    engine: &Engine,
    db: &mut Connection<'_>,
    resource: &Resource,
) -> Result<(), LedgerError> {
    let cancel = "UPDATE maitre_operations SET state = 'cancelled', reply = $2, request = NULL, finished_at = {now}
         WHERE resource_id = $1 AND kind = 'provision' AND state IN ('open', 'parked')";
    let reply = engine.seal_reply(&resource.addon, &resource.key, &StoredReply::failure(StoredKind::Unavailable));
    db.execute(cancel, values![resource.id, &reply]).await.map(drop)
}

/// Increments the fencing token so that the previous lease holder can no longer write, unless another lease is active.
pub(super) async fn bump_fence(db: &mut Connection<'_>, resource: i64) -> Result<(), LedgerError> {
    let bump = "UPDATE maitre_resources SET fence = fence + 1 WHERE id = $1 AND NOT EXISTS
         (SELECT 1 FROM maitre_operations WHERE resource_id = $1 AND state = 'open' AND lease_until > {now})";
    db.execute(bump, values![resource]).await.map(drop)
}

/// Completes an operation, with its reply unless the resource stores it. A completed operation keeps no request.
pub(super) async fn complete(
    db: &mut Connection<'_>,
    operation: i64,
    sealed_reply: Option<&[u8]>,
) -> Result<(), LedgerError> {
    let update = "UPDATE maitre_operations SET state = 'completed', reply = $2, request = NULL, request_hash = NULL,
         last_error = NULL, lease_until = 0, finished_at = {now} WHERE id = $1";
    db.execute(update, values![operation, sealed_reply]).await.map(drop)
}

/// Keeps the operation open for its notification, under the same lease, with the request, whose trace it continues.
pub(super) async fn start_notifying(
    db: &mut Connection<'_>,
    operation: i64,
    sealed_reply: &[u8],
) -> Result<(), LedgerError> {
    let update = "UPDATE maitre_operations SET notifying = TRUE, reply = $2, last_error = NULL, attempt = 1,
         scheduled_at = {now} WHERE id = $1";
    db.execute(update, values![operation, sealed_reply]).await.map(drop)
}

/// Returns a resource to `provisioned` when its last plan change is no longer open.
pub(super) async fn restore_provisioned(db: &mut Connection<'_>, resource: i64) -> Result<(), LedgerError> {
    let update = "UPDATE maitre_resources SET state = 'provisioned', updated_at = {now} WHERE id = $1
         AND state = 'changing_plan' AND NOT EXISTS (SELECT 1 FROM maitre_operations
                                                     WHERE resource_id = $1 AND state = 'open'
                                                           AND kind IN ('plan_change', 'update', 'rotate'))";
    db.execute(update, values![resource]).await.map(drop)
}

/// Turns a resource into a tombstone: keeps its key, provider id and plan, and removes its secrets.
pub(super) async fn tombstone(db: &mut Connection<'_>, resource: i64) -> Result<(), LedgerError> {
    let update = "UPDATE maitre_resources SET state = 'deprovisioned', reply = NULL, request_hash = NULL,
         updated_at = {now}, deprovisioned_at = {now} WHERE id = $1";
    db.execute(update, values![resource]).await.map(drop)
}

/// Ends the bindings of a deprovisioned resource.
async fn end_bindings(db: &mut Connection<'_>, resource: i64) -> Result<(), LedgerError> {
    let end = "UPDATE maitre_bindings SET state = 'unbound', reply = NULL, request_hash = NULL, updated_at = {now},
         unbound_at = COALESCE(unbound_at, {now}) WHERE resource_id = $1";
    db.execute(end, values![resource]).await.map(drop)
}

/// Turns a resource into a tombstone and removes all secrets and personal data that depend on it.
pub(super) async fn deprovisioned(engine: &Engine, db: &mut Connection<'_>, lease: &Lease) -> Result<(), LedgerError> {
    tombstone(db, lease.resource).await?;
    end_bindings(db, lease.resource).await?;
    cancel_parked(engine, db, lease.resource, &lease.addon, &lease.key).await?;
    let clear = "UPDATE maitre_operations SET request = NULL, reply = NULL, last_error = NULL
         WHERE resource_id = $1 AND id <> $2";
    db.execute(clear, values![lease.resource, lease.operation]).await?;
    let jobs = "DELETE FROM maitre_jobs WHERE resource = $2 AND addon = $1 AND state <> 'completed'";
    db.execute(jobs, values![&lease.addon, &lease.key]).await?;
    let values = "DELETE FROM maitre_values WHERE resource = $2 AND addon = $1";
    db.execute(values, values![&lease.addon, &lease.key]).await?;
    let resource = format!("{} {}", lease.addon, lease.key);
    db.execute("DELETE FROM maitre_sessions WHERE resource = $1", values![&resource]).await.map(drop)
}
