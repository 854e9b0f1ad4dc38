//! What is left of a resource that was removed, and how it goes.

use super::Engine;
use super::records::hold;
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;
use crate::rules::State;

/// Takes everything from a removed resource but its key: the vendor's name of it, its plan and its whole timeline. The
/// outcome says whether there was such a resource.
pub(crate) struct Erase {
    pub(crate) addon: String,
    pub(crate) id: String,
}

impl Command for Erase {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Some(resource) = hold(on, &self.addon, &self.id).await? else { return Ok(false) };
        if resource.state != State::Deprovisioned {
            return Ok(false);
        }
        on.run("DELETE FROM maitre_operations WHERE resource = $1", values![resource.id]).await?;
        let bare = "UPDATE maitre_resources SET provider_id = NULL, plan = NULL, request_hash = NULL, reply = NULL WHERE id = $1";
        on.run(bare, values![resource.id]).await?;
        Ok(true)
    }
}

/// Some tombstones whose time has come; says how many.
pub(super) async fn forget(on: &mut Connection<'_>, retention: Milliseconds) -> Result<u64, LedgerError> {
    let old = "SELECT id FROM maitre_resources WHERE deprovisioned_at <= {now} - $1
         ORDER BY deprovisioned_at LIMIT 500 {skip_locked}";
    let old = on.rows(old, values![retention]).await?;
    let old = old.iter().map(|row| row.number("id")).collect::<Result<Vec<_>, _>>()?;
    on.run("DELETE FROM maitre_operations WHERE resource {among $1}", values![&old[..]]).await?;
    on.run("DELETE FROM maitre_resources WHERE id {among $1}", values![&old[..]]).await
}
