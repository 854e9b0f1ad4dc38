//! Transfer of resources between accounts.

use std::collections::BTreeSet;

use super::account::{account_key, is_open};
use super::context::Engine;
use super::rows::{Resource, key_of};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Moves resources to another account that is open: all of them or none. Returns whether they are there now.
pub(crate) struct MoveResources {
    pub(crate) addon: String,
    /// Keys of the resources.
    pub(crate) resources: Vec<String>,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Command<Engine> for MoveResources {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Self { addon, from, to, .. } = self;
        let mut is_target_open = false;
        // accounts are locked before resources, and all rows in the order of their keys, so that no two commands wait for
        // each other
        for account in BTreeSet::from([from, to]) {
            let is_open = is_open(db, addon, account).await?;
            is_target_open |= is_open && account == to;
        }
        if !is_target_open {
            return Ok(false);
        }
        let keys: BTreeSet<_> = self.resources.iter().map(|key| key_of(key)).collect();
        let mut moved = Vec::new();
        for key in keys {
            let resource = Resource::lock_by_key(db, addon, &key).await?;
            let Some(resource) = resource.filter(|resource| resource.state.is_live()) else { return Ok(false) };
            match account_key(db, resource.id).await? {
                Some(account) if account == *from => moved.push(resource.id),
                Some(account) if account == *to => {}
                _ => return Ok(false),
            }
        }
        let update = "UPDATE maitre_resources SET account = $2, updated_at = {now} WHERE id = $1";
        for resource in moved {
            db.execute(update, values![resource, to]).await?;
        }
        Ok(true)
    }
}
