//! Operator actions on operations and resources.

use super::action::{ActionKind, Author};
use super::context::Engine;
use super::rows::Resource;
use super::rules::{self, Decision, State};
use super::transitions::{Overtaken, cancel_open, forget_unconfirmed, schedule_deprovision, set_state, tombstone};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Makes an open or parked operation due immediately, and reopens its resource. Returns whether there was such an
/// operation.
pub(crate) struct Retry {
    pub(crate) operation: i64,
    pub(crate) author: Author,
}

impl Command<Engine> for Retry {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Some(resource) = lock_resource_of(db, self.operation).await? else { return Ok(false) };
        let retry = "UPDATE maitre_operations SET state = 'open', attempt = 0, scheduled_at = {now}, finished_at = NULL
             WHERE id = $1 AND state IN ('open', 'parked') AND lease_until <= {now}";
        let changed = db.execute(retry, values![self.operation]).await? == 1;
        let reopen = "UPDATE maitre_resources SET state = 'provisioning', updated_at = {now} WHERE state = 'parked'
             AND id = (SELECT resource_id FROM maitre_operations
                       WHERE id = $1 AND kind = 'provision' AND state = 'open')";
        db.execute(reopen, values![self.operation]).await?;
        let reopen = "UPDATE maitre_bindings SET state = 'binding', updated_at = {now} WHERE state = 'parked'
             AND id = (SELECT binding_id FROM maitre_operations WHERE id = $1 AND kind = 'bind' AND state = 'open')";
        db.execute(reopen, values![self.operation]).await?;
        if changed {
            self.author.record(engine, db, ActionKind::Retry, &resource, Some(self.operation)).await?;
        }
        Ok(changed)
    }
}

/// Raises the fencing tokens of the resources with an id above `after` to the time, where they are lower: a batch. Returns
/// the number of raised tokens and the last id, if there may be more resources.
pub(crate) struct RaiseFences {
    pub(crate) after: i64,
}

impl Command<Engine> for RaiseFences {
    type Outcome = (u64, Option<i64>);

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<(u64, Option<i64>), LedgerError> {
        let last = "SELECT max(id) AS last FROM
             (SELECT id FROM maitre_resources WHERE id > $1 ORDER BY id LIMIT 500) AS batch";
        let Some(last) = db.row(last, values![self.after]).await?.optional_number("last")? else {
            return Ok((0, None));
        };
        let raise = "UPDATE maitre_resources SET fence = {now} WHERE id > $1 AND id <= $2 AND fence < updated_at
             AND NOT EXISTS (SELECT 1 FROM maitre_operations o
                             WHERE o.resource_id = maitre_resources.id AND o.state = 'open' AND o.lease_until > {now})";
        Ok((db.execute(raise, values![self.after, last]).await?, Some(last)))
    }
}

/// Abandons a parked operation. Returns whether there was such an operation.
pub(crate) struct Abandon {
    pub(crate) operation: i64,
    pub(crate) author: Author,
}

impl Command<Engine> for Abandon {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Some(resource) = lock_resource_of(db, self.operation).await? else { return Ok(false) };
        let abandon =
            "UPDATE maitre_operations SET state = 'abandoned', request = NULL WHERE id = $1 AND state = 'parked'";
        let changed = db.execute(abandon, values![self.operation]).await? == 1;
        if changed {
            forget_unconfirmed(db, resource.id).await?;
            self.author.record(engine, db, ActionKind::Abandon, &resource, Some(self.operation)).await?;
        }
        Ok(changed)
    }
}

/// Locks the resource of an operation first, as every other command does.
async fn lock_resource_of(db: &mut Connection<'_>, operation: i64) -> Result<Option<Resource>, LedgerError> {
    let known = db.optional_row("SELECT id FROM maitre_operations WHERE id = $1", values![operation]).await?;
    if known.is_none() {
        return Ok(None);
    }
    Resource::lock_by_operation(db, operation).await
}

/// Records a deprovision that a worker runs, as if the marketplace had requested it. Returns whether there was such a
/// resource to deprovision.
pub(crate) struct RequestDeprovision {
    pub(crate) addon: String,
    pub(crate) id: String,
    pub(crate) author: Author,
}

impl Command<Engine> for RequestDeprovision {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Some(resource) = Resource::lock(db, &self.addon, &self.id).await? else { return Ok(false) };
        let operation = match rules::deprovision(Some(resource.state), engine.limits.unknown) {
            Decision::Run => {
                set_state(db, &resource, State::Deprovisioning).await?;
                Some(schedule_deprovision(engine, db, resource.id, None).await?)
            }
            Decision::Enqueue => {
                cancel_open(engine, db, &resource, i64::MAX, Overtaken::Idle).await?;
                Some(schedule_deprovision(engine, db, resource.id, None).await?)
            }
            Decision::Unchanged => {
                tombstone(db, resource.id).await?;
                None
            }
            _ => return Ok(false),
        };
        self.author.record(engine, db, ActionKind::Deprovision, &resource, operation).await?;
        Ok(true)
    }
}
