//! Erasure and retention of deprovisioned resources.

use super::action::{ActionKind, Author};
use super::context::Engine;
use super::rows::Resource;
use super::rules::State;
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;

/// Removes everything but the key from a deprovisioned resource: provider id, plan and timeline. The timeline keeps this
/// action only. Returns whether there was such a resource.
pub(crate) struct Erase {
    pub(crate) addon: String,
    pub(crate) id: String,
    pub(crate) author: Author,
}

impl Command<Engine> for Erase {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Some(resource) = Resource::lock(db, &self.addon, &self.id).await? else { return Ok(false) };
        if resource.state != State::Deprovisioned {
            return Ok(false);
        }
        db.execute("DELETE FROM maitre_operations WHERE resource_id = $1", values![resource.id]).await?;
        db.execute("DELETE FROM maitre_bindings WHERE resource_id = $1", values![resource.id]).await?;
        db.execute("DELETE FROM maitre_actions WHERE resource_id = $1", values![resource.id]).await?;
        let clear = "UPDATE maitre_resources SET provider_id = NULL, plan = NULL, request_hash = NULL, reply = NULL
             WHERE id = $1";
        db.execute(clear, values![resource.id]).await?;
        self.author.record(engine, db, ActionKind::Erase, &resource, None).await?;
        Ok(true)
    }
}

/// Deletes a batch of tombstones older than `retention` and returns their number.
pub(super) async fn delete_old_tombstones(
    db: &mut Connection<'_>,
    retention: Milliseconds,
) -> Result<u64, LedgerError> {
    let select = "SELECT id FROM maitre_resources WHERE deprovisioned_at <= {now} - $1
         ORDER BY deprovisioned_at LIMIT 500 {skip_locked}";
    let rows = db.rows(select, values![retention]).await?;
    let ids = rows.iter().map(|row| row.number("id")).collect::<Result<Vec<_>, _>>()?;
    db.execute("DELETE FROM maitre_operations WHERE resource_id {any $1}", values![&ids[..]]).await?;
    db.execute("DELETE FROM maitre_bindings WHERE resource_id {any $1}", values![&ids[..]]).await?;
    db.execute("DELETE FROM maitre_actions WHERE resource_id {any $1}", values![&ids[..]]).await?;
    let accounts = "DELETE FROM maitre_accounts WHERE state = 'gone' AND updated_at <= {now} - $1";
    db.execute(accounts, values![retention]).await?;
    db.execute("DELETE FROM maitre_resources WHERE id {any $1}", values![&ids[..]]).await
}
