//! Platform values and the locks on them.

use maitre_core::StoredValue;

use super::context::Engine;
use super::rows::{Resource, key_of};
use super::rules::State;
use super::sealed::value_aad;
use super::stored_reply::StoredReply;
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;

/// Reference to a value of a resource.
#[derive(Clone)]
pub(crate) struct ValueRef {
    addon: String,
    resource: String,
    name: String,
}

impl ValueRef {
    pub(crate) fn new(addon: String, resource: &str, name: &str) -> Self {
        Self { addon, resource: key_of(resource).into_owned(), name: name.to_owned() }
    }

    fn aad(&self) -> String {
        value_aad(&self.addon, &self.resource, &self.name)
    }
}

/// Reads a value.
pub(crate) struct ReadValue(pub(crate) ValueRef);

impl Command<Engine> for ReadValue {
    type Outcome = Option<StoredValue>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Option<StoredValue>, LedgerError> {
        let ValueRef { addon, resource, name } = &self.0;
        let select = "SELECT value, version FROM maitre_values WHERE addon = $1 AND resource = $2 AND name = $3
             AND value IS NOT NULL";
        let Some(row) = db.optional_row(select, values![addon, resource, name]).await? else { return Ok(None) };
        Ok(Some(StoredValue::new(engine.open(&self.0.aad(), &row.bytes("value")?)?, row.number("version")?)))
    }
}

/// Writes a value, if its version is the expected one and its resource exists. A value of the add-on itself has an empty
/// resource. Returns whether it was written.
pub(crate) struct WriteValue {
    pub(crate) value_ref: ValueRef,
    pub(crate) value: Vec<u8>,
    pub(crate) expected_version: i64,
}

impl Command<Engine> for WriteValue {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let ValueRef { addon, resource, name } = &self.value_ref;
        // the row lock keeps a deprovision out until the commit
        if !resource.is_empty() {
            let known = Resource::lock_by_key(db, addon, resource).await?;
            if known.is_none_or(|resource| resource.state == State::Deprovisioned) {
                return Ok(false);
            }
        }
        let sealed = engine.keys.seal(&self.value_ref.aad(), &self.value);
        let write = "INSERT INTO maitre_values (addon, resource, name, value, version) VALUES ($1, $2, $3, $4, 1)
             ON CONFLICT (addon, resource, name) DO UPDATE SET value = excluded.value, version = maitre_values.version + 1
             WHERE maitre_values.version = $5";
        Ok(db.execute(write, values![addon, resource, name, &sealed, self.expected_version]).await? == 1)
    }
}

/// Takes a lock for a duration, or releases it if that is zero. Returns whether the lock was free, or was held by this
/// process.
pub(crate) struct Lock {
    pub(crate) value_ref: ValueRef,
    pub(crate) duration: Milliseconds,
}

impl Command<Engine> for Lock {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let ValueRef { addon, resource, name } = &self.value_ref;
        if self.duration == 0 {
            let unlock = "UPDATE maitre_values SET locked_until = 0 WHERE addon = $1 AND resource = $2 AND name = $3
                 AND locked_by = $4";
            return Ok(db.execute(unlock, values![addon, resource, name, &engine.owner]).await? == 1);
        }
        let lock = "INSERT INTO maitre_values (addon, resource, name, locked_by, locked_until)
             VALUES ($1, $2, $3, $4, {now} + $5) ON CONFLICT (addon, resource, name)
             DO UPDATE SET locked_by = excluded.locked_by, locked_until = excluded.locked_until
             WHERE maitre_values.locked_until <= {now}";
        Ok(db.execute(lock, values![addon, resource, name, &engine.owner, self.duration]).await? == 1)
    }
}

/// Updates config vars in the stored reply of a provision. Returns whether there is one.
pub(crate) struct UpdateConfig {
    pub(crate) addon: String,
    pub(crate) resource: String,
    pub(crate) config: Vec<(String, String)>,
}

impl Command<Engine> for UpdateConfig {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Some(resource) = Resource::lock_by_key(db, &self.addon, &key_of(&self.resource)).await? else {
            return Ok(false);
        };
        if resource.reply.is_none() {
            return Ok(false);
        }
        let change = StoredReply::config_change(self.config.clone());
        let changed = engine.reply_of(&resource)?.changed_by(&change);
        let sealed = engine.seal_reply(&resource.addon, &resource.key, &changed);
        let update = "UPDATE maitre_resources SET reply = $2, updated_at = {now} WHERE id = $1";
        Ok(db.execute(update, values![resource.id, &sealed]).await? == 1)
    }
}
