//! Values that a marketplace's API keeps about resources, and the holds on them.

use maitre_core::StoredValue;

use super::Engine;
use super::records::{hold_key, key_of};
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;
use crate::stored::StoredReply;

/// Which value.
#[derive(Clone)]
pub(crate) struct Of {
    pub(crate) addon: String,
    resource: String,
    name: String,
}

impl Of {
    pub(crate) fn new(addon: String, resource: &str, name: &str) -> Self {
        Self { addon, resource: key_of(resource).into_owned(), name: name.to_owned() }
    }

    fn place(&self) -> String {
        value_at(&self.addon, &self.resource, &self.name)
    }
}

/// What a sealed value is bound to.
pub(crate) fn value_at(addon: &str, resource: &str, name: &str) -> String {
    format!("value {name} of {addon} {resource}")
}

pub(crate) struct ReadValue(pub(crate) Of);

impl Command for ReadValue {
    type Outcome = Option<StoredValue>;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Option<StoredValue>, LedgerError> {
        let Of { addon, resource, name } = &self.0;
        let read = "SELECT value, version FROM maitre_values WHERE addon = $1 AND resource = $2 AND name = $3
             AND value IS NOT NULL";
        let Some(row) = on.maybe_row(read, values![addon, resource, name]).await? else { return Ok(None) };
        let sealed = row.maybe_bytes("value")?.unwrap_or_default();
        Ok(Some(StoredValue::new(engine.keys.open(&self.0.place(), &sealed)?, row.number("version")?)))
    }
}

/// Writes a value over the one of this version. Nothing is kept about a resource that is not there, or not any more: the
/// outcome says whether it was written.
pub(crate) struct WriteValue {
    pub(crate) of: Of,
    pub(crate) value: Vec<u8>,
    pub(crate) over: i64,
}

impl Command for WriteValue {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Of { addon, resource, name } = &self.of;
        // held, so that no removal passes between this and the commit
        let known = hold_key(on, addon, resource).await?;
        if known.is_none_or(|resource| resource.state == crate::rules::State::Deprovisioned) {
            return Ok(false);
        }
        let sealed = engine.keys.seal(&self.of.place(), &self.value);
        let write = "INSERT INTO maitre_values (addon, resource, name, value, version) VALUES ($1, $2, $3, $4, 1)
             ON CONFLICT (addon, resource, name) DO UPDATE SET value = excluded.value, version = maitre_values.version + 1
             WHERE maitre_values.version = $5";
        Ok(on.run(write, values![addon, resource, name, &sealed, self.over]).await? == 1)
    }
}

/// Takes a hold, or gives one back with a length of nothing. The outcome says whether it was ours to take or give.
pub(crate) struct Hold {
    pub(crate) of: Of,
    pub(crate) length: Milliseconds,
}

impl Command for Hold {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Of { addon, resource, name } = &self.of;
        if self.length == 0 {
            let release = "UPDATE maitre_values SET locked_until = 0 WHERE addon = $1 AND resource = $2 AND name = $3
                 AND locked_by = $4";
            return Ok(on.run(release, values![addon, resource, name, &engine.owner]).await? == 1);
        }
        let hold = "INSERT INTO maitre_values (addon, resource, name, locked_by, locked_until)
             VALUES ($1, $2, $3, $4, {now} + $5) ON CONFLICT (addon, resource, name)
             DO UPDATE SET locked_by = excluded.locked_by, locked_until = excluded.locked_until
             WHERE maitre_values.locked_until <= {now}";
        Ok(on.run(hold, values![addon, resource, name, &engine.owner, self.length]).await? == 1)
    }
}

/// Changes config vars in the stored answer of a provision. The outcome says whether there is one.
pub(crate) struct Reconfigure {
    pub(crate) addon: String,
    pub(crate) resource: String,
    pub(crate) config: Vec<(String, String)>,
}

impl Command for Reconfigure {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Some(resource) = hold_key(on, &self.addon, &key_of(&self.resource)).await? else { return Ok(false) };
        if resource.reply.is_none() {
            return Ok(false);
        }
        let change = StoredReply::PlanChanged { config: self.config.clone(), message: None };
        let changed = engine.reply_of(&resource)?.with_config_of(&change);
        let sealed = engine.seal_reply(&resource.addon, &resource.key, &changed);
        let change = "UPDATE maitre_resources SET reply = $2, updated_at = {now} WHERE id = $1";
        Ok(on.run(change, values![resource.id, &sealed]).await? == 1)
    }
}
