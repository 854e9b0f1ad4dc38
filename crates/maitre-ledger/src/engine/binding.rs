//! Rows of `maitre_bindings`, and their state changes.

use super::binding_rules::BindingState;
use super::context::Engine;
use super::operation::OperationKind;
use super::rows::{Operation, Resource};
use super::stored_reply::{StoredKind, StoredReply};
use super::transitions::bump_fence;
use crate::db::{Connection, Row, values};
use crate::error::LedgerError;

/// Row of `maitre_bindings`. Its resource's row is locked whenever it changes.
pub(crate) struct Binding {
    pub(super) id: i64,
    pub(crate) key: String,
    pub(crate) state: BindingState,
    pub(super) request_hash: Option<Vec<u8>>,
    pub(super) reply: Option<Vec<u8>>,
    /// Whether the ledger knows that the binding exists or existed.
    pub(super) confirmed: bool,
}

impl Binding {
    pub(super) fn read(row: &Row) -> Result<Self, LedgerError> {
        let row = row.of("maitre_bindings")?;
        Ok(Self {
            id: row.id,
            key: row.text("key")?,
            state: row.parse("state")?,
            request_hash: row.optional_bytes("request_hash")?,
            reply: row.optional_bytes("reply")?,
            confirmed: row.flag("confirmed")?,
        })
    }

    pub(super) async fn find(db: &mut Connection<'_>, resource: i64, key: &str) -> Result<Option<Self>, LedgerError> {
        let select = "SELECT * FROM maitre_bindings WHERE resource_id = $1 AND key = $2";
        db.optional_row(select, values![resource, key]).await?.map(|row| Self::read(&row)).transpose()
    }

    /// Returns the binding of an operation, if it has one.
    pub(super) async fn of(db: &mut Connection<'_>, operation: &Operation) -> Result<Option<Self>, LedgerError> {
        match operation.binding {
            Some(id) => Self::get(db, id).await,
            None => Ok(None),
        }
    }

    pub(super) async fn get(db: &mut Connection<'_>, id: i64) -> Result<Option<Self>, LedgerError> {
        let row = db.optional_row("SELECT * FROM maitre_bindings WHERE id = $1", values![id]).await?;
        row.map(|row| Self::read(&row)).transpose()
    }

    /// Inserts a binding.
    pub(super) async fn insert(
        db: &mut Connection<'_>,
        resource: i64,
        key: &str,
        state: BindingState,
        sealed_hash: Option<&[u8]>,
        confirmed: bool,
    ) -> Result<i64, LedgerError> {
        let insert =
            "INSERT INTO maitre_bindings (resource_id, key, state, request_hash, confirmed, created_at, updated_at,
             unbound_at) VALUES ($1, $2, $3, $4, $5 = 1, {now}, {now}, CASE WHEN $3 = 'unbound' THEN {now} END)
             {returning id}";
        let values = values![resource, key, state.as_str(), sealed_hash, i64::from(confirmed)];
        db.insert(insert, values).await?.ok_or_else(|| LedgerError::corrupt("a binding was not inserted"))
    }

    pub(super) fn aad(&self, addon: &str, resource: &str, column: &str) -> String {
        binding_aad(addon, resource, &self.key, column)
    }

    /// Returns the reply to the bind.
    pub(super) fn reply(&self, engine: &Engine, resource: &Resource) -> Result<Option<StoredReply>, LedgerError> {
        let Some(sealed) = &self.reply else { return Ok(None) };
        let aad = self.aad(&resource.addon, &resource.key, "reply");
        serde_json::from_slice(&engine.open(&aad, sealed)?)
            .map(Some)
            .map_err(|error| LedgerError::corrupt(format!("cannot parse the {aad}: {error}")))
    }
}

/// Returns the associated data of a column of a binding.
pub(super) fn binding_aad(addon: &str, resource: &str, binding: &str, column: &str) -> String {
    format!("{column} of {addon} {resource:?} binding {binding:?}")
}

pub(super) async fn set_binding_state(
    db: &mut Connection<'_>,
    binding: i64,
    state: BindingState,
) -> Result<(), LedgerError> {
    let update = "UPDATE maitre_bindings SET state = $2, updated_at = {now} WHERE id = $1";
    db.execute(update, values![binding, state.as_str()]).await.map(drop)
}

/// Records the reply to a bind, unless an unbind was requested in the meantime.
pub(super) async fn bound(
    db: &mut Connection<'_>,
    binding: i64,
    state: BindingState,
    sealed_reply: &[u8],
) -> Result<(), LedgerError> {
    let update = "UPDATE maitre_bindings SET reply = $2, updated_at = {now},
         state = CASE WHEN state = 'unbinding' THEN state ELSE $3 END WHERE id = $1";
    db.execute(update, values![binding, sealed_reply, state.as_str()]).await.map(drop)
}

/// Turns a binding into a tombstone and removes all secrets that depend on it.
pub(super) async fn unbound(
    engine: &Engine,
    db: &mut Connection<'_>,
    addon: &str,
    resource: &str,
    binding: i64,
) -> Result<(), LedgerError> {
    cancel_parked_binds(engine, db, addon, resource, binding).await?;
    let clear = "UPDATE maitre_operations SET request = NULL, last_error = NULL,
         reply = CASE WHEN kind = 'bind' THEN NULL ELSE reply END WHERE binding_id = $1 AND state <> 'open'";
    db.execute(clear, values![binding]).await?;
    let unbind = "UPDATE maitre_bindings SET state = 'unbound', reply = NULL, request_hash = NULL, updated_at = {now},
         unbound_at = {now} WHERE id = $1";
    db.execute(unbind, values![binding]).await.map(drop)
}

async fn cancel_parked_binds(
    engine: &Engine,
    db: &mut Connection<'_>,
    addon: &str,
    resource: &str,
    binding: i64,
) -> Result<(), LedgerError> {
    let cancel = "UPDATE maitre_operations SET state = 'cancelled', reply = $2, request = NULL, finished_at = {now}
         WHERE binding_id = $1 AND state = 'parked'";
    let reply = engine.seal_reply(addon, resource, &StoredReply::failure(StoredKind::Gone));
    db.execute(cancel, values![binding, &reply]).await.map(drop)
}

/// Cancels the binds of a binding that no live process is running: an unbind wins over them.
pub(super) async fn cancel_waiting_binds(
    engine: &Engine,
    db: &mut Connection<'_>,
    resource: &Resource,
    binding: i64,
) -> Result<(), LedgerError> {
    let cancel = "UPDATE maitre_operations SET state = 'cancelled', reply = $2, request = NULL, finished_at = {now}
         WHERE binding_id = $1 AND kind = 'bind' AND state = 'open' AND lease_until <= {now}";
    let reply = engine.seal_reply(&resource.addon, &resource.key, &StoredReply::failure(StoredKind::Gone));
    if db.execute(cancel, values![binding, &reply]).await? > 0 {
        bump_fence(db, resource.id).await?;
    }
    Ok(())
}

/// Cancels the parked or reopened bind that a new bind replaces.
pub(super) async fn supersede_bind(
    engine: &Engine,
    db: &mut Connection<'_>,
    resource: &Resource,
    binding: i64,
) -> Result<(), LedgerError> {
    let cancel = "UPDATE maitre_operations SET state = 'cancelled', reply = $2, request = NULL, finished_at = {now}
         WHERE binding_id = $1 AND kind = 'bind' AND state IN ('open', 'parked')";
    let reply = engine.seal_reply(&resource.addon, &resource.key, &StoredReply::failure(StoredKind::Unavailable));
    db.execute(cancel, values![binding, &reply]).await.map(drop)
}

/// Returns the reply of an operation that has ended.
pub(super) async fn ended_reply(
    engine: &Engine,
    db: &mut Connection<'_>,
    resource: &Resource,
    operation: &Operation,
) -> Result<StoredReply, LedgerError> {
    if operation.reply.is_none() && operation.kind == OperationKind::Bind {
        let binding = Binding::of(db, operation).await?;
        let reply = binding.map(|binding| binding.reply(engine, resource)).transpose()?.flatten();
        return Ok(reply.unwrap_or_else(|| StoredReply::failure(StoredKind::Gone)));
    }
    engine.reply_of_operation(resource, operation.reply.as_deref())
}
