//! Suspension of resources by the marketplace.

use super::context::Engine;
use super::find::find_resource;
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Records that a resource is suspended or reinstated, if the ledger knows it.
pub(crate) struct SetSuspended {
    pub(crate) addon: String,
    /// Key or provider id of the resource.
    pub(crate) resource: String,
    pub(crate) suspended: bool,
}

impl Command<Engine> for SetSuspended {
    type Outcome = ();

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<(), LedgerError> {
        let Some(resource) = find_resource(db, &self.addon, &self.resource).await? else { return Ok(()) };
        let update = if self.suspended {
            "UPDATE maitre_resources SET suspended_at = COALESCE(suspended_at, {now}) WHERE id = $1"
        } else {
            "UPDATE maitre_resources SET suspended_at = NULL WHERE id = $1"
        };
        db.execute(update, values![resource.id]).await.map(drop)
    }
}
