//! Queries that need no lock.

use maitre_core::ResourceSummary;

use super::context::Engine;
use super::rows::{Resource, key_of};
use super::rules::State;
use crate::db::{Command, Connection, Row, values};
use crate::error::LedgerError;

/// Finds a resource by its key or provider id.
pub(crate) struct Find {
    pub(crate) addon: String,
    pub(crate) id: String,
}

impl Command<Engine> for Find {
    type Outcome = Option<Resource>;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Option<Resource>, LedgerError> {
        find_resource(db, &self.addon, &self.id).await
    }
}

pub(super) async fn find_resource(
    db: &mut Connection<'_>,
    addon: &str,
    id: &str,
) -> Result<Option<Resource>, LedgerError> {
    let by_key = "SELECT * FROM maitre_resources WHERE addon = $1 AND key = $2";
    let by_provider_id =
        "SELECT * FROM maitre_resources WHERE addon = $1 AND provider_id = $2 ORDER BY id DESC LIMIT 1";
    for (statement, id) in [(by_key, &*key_of(id)), (by_provider_id, id)] {
        if let Some(row) = db.optional_row(statement, values![addon, id]).await? {
            return Resource::read(&row).map(Some);
        }
    }
    Ok(None)
}

/// Lists resources of an add-on in the order of their keys.
pub(crate) struct ListResources {
    pub(crate) addon: String,
    /// Key after which the list starts.
    pub(crate) after: String,
    pub(crate) limit: u32,
}

impl Command<Engine> for ListResources {
    type Outcome = Vec<ResourceSummary>;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Vec<ResourceSummary>, LedgerError> {
        let list = "SELECT id, key, provider_id, plan, state FROM maitre_resources
             WHERE addon = $1 AND key > $2 AND confirmed ORDER BY key LIMIT $3";
        let rows = db.rows(list, values![&self.addon, &self.after, i64::from(self.limit)]).await?;
        rows.iter().map(summary).collect()
    }
}

/// Reads the summary of a resource.
pub(super) fn summary(row: &Row) -> Result<ResourceSummary, LedgerError> {
    let row = row.of("maitre_resources")?;
    let state: State = row.parse("state")?;
    let mut summary = ResourceSummary::new(row.text("key")?);
    summary.provider_id = row.optional_text("provider_id")?;
    summary.plan = row.optional_text("plan")?;
    summary.lives = state.is_live();
    summary.removed = state == State::Deprovisioned;
    Ok(summary)
}

/// Lists due operations of an add-on that no process runs, oldest first.
pub(crate) struct DueOperations {
    pub(crate) addon: String,
    pub(crate) limit: i64,
}

impl Command<Engine> for DueOperations {
    type Outcome = Vec<i64>;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Vec<i64>, LedgerError> {
        let due = "SELECT o.id AS id FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource_id
             WHERE o.state = 'open' AND o.scheduled_at <= {now} AND o.lease_until <= {now} AND r.addon = $1
               AND (o.kind = 'deprovision' OR NOT EXISTS (SELECT 1 FROM maitre_operations b
                    WHERE b.resource_id = o.resource_id AND b.id < o.id AND b.state = 'open'))
             ORDER BY o.scheduled_at LIMIT $2";
        db.rows(due, values![&self.addon, self.limit]).await?.iter().map(|row| row.number("id")).collect()
    }
}

/// Returns those of the given operations that have to stop because their resource is being deprovisioned.
pub(crate) struct OvertakenOperations(pub(crate) Vec<i64>);

impl Command<Engine> for OvertakenOperations {
    type Outcome = Vec<i64>;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Vec<i64>, LedgerError> {
        let overtaken = "SELECT o.id AS id FROM maitre_operations o JOIN maitre_resources r ON r.id = o.resource_id
             WHERE o.id {any $1} AND o.kind <> 'deprovision' AND r.state IN ('deprovisioning', 'deprovisioned')";
        db.rows(overtaken, values![&self.0[..]]).await?.iter().map(|row| row.number("id")).collect()
    }
}

/// Returns those of the given operations that have ended, or that are next for their resource and run by no process.
pub(crate) struct ChangedOperations(pub(crate) Vec<i64>);

impl Command<Engine> for ChangedOperations {
    type Outcome = Vec<i64>;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Vec<i64>, LedgerError> {
        let changed = "SELECT id FROM maitre_operations o WHERE id {any $1} AND (state <> 'open' OR
             (lease_until <= {now} AND (kind = 'deprovision' OR NOT EXISTS (SELECT 1 FROM maitre_operations b
              WHERE b.resource_id = o.resource_id AND b.id < o.id AND b.state = 'open'))))";
        db.rows(changed, values![&self.0[..]]).await?.iter().map(|row| row.number("id")).collect()
    }
}
