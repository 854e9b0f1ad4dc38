//! Actions of operators, each recorded in the transaction of the change that it makes.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::context::Engine;
use super::operation::names;
use super::rows::{JobRow, Resource, timestamp};
use super::sealed::aad;
use crate::db::{Connection, Row, values};
use crate::error::LedgerError;

/// Kind of an operator's action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActionKind {
    /// Retried an operation or a job.
    Retry,
    /// Abandoned an operation or a job.
    Abandon,
    /// Requested a deprovision.
    Deprovision,
    /// Erased a deprovisioned resource.
    Erase,
    /// Adopted the resource.
    Adopt,
}

names!(ActionKind { Retry "retry", Abandon "abandon", Deprovision "deprovision", Erase "erase", Adopt "adopt" });

/// Action of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActionView {
    /// Kind of action.
    pub kind: ActionKind,
    /// Name of the operator.
    pub operator: String,
    /// Reason that the operator gave.
    pub reason: Option<String>,
    /// Id of the operation.
    pub operation: Option<i64>,
    /// Id of the job.
    pub job: Option<i64>,
    /// Time of the action.
    pub created_at: OffsetDateTime,
}

/// Operator and reason of an action, as they are stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Author {
    pub(crate) operator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

impl Author {
    /// Records an action on a resource, or on an operation of it.
    pub(super) async fn record(
        &self,
        engine: &Engine,
        db: &mut Connection<'_>,
        kind: ActionKind,
        resource: &Resource,
        operation: Option<i64>,
    ) -> Result<(), LedgerError> {
        let Resource { id, addon, key, .. } = resource;
        self.insert(engine, db, kind, (addon, key, Some(*id)), (operation, None)).await
    }

    /// Records an action on a job.
    pub(super) async fn record_job(
        &self,
        engine: &Engine,
        db: &mut Connection<'_>,
        kind: ActionKind,
        job: &JobRow,
    ) -> Result<(), LedgerError> {
        let JobRow { id, addon, name, resource, .. } = job;
        let resource = match resource {
            Some(key) => Resource::lock_by_key(db, addon, key).await?,
            None => None,
        };
        let (key, resource) = resource.map_or((name.clone(), None), |resource| (resource.key, Some(resource.id)));
        self.insert(engine, db, kind, (addon, &key, resource), (None, Some(*id))).await
    }

    /// Records the adoption of the resource with this key.
    pub(super) async fn record_adoption(
        &self,
        engine: &Engine,
        db: &mut Connection<'_>,
        addon: &str,
        key: &str,
    ) -> Result<(), LedgerError> {
        let insert = "INSERT INTO maitre_actions (addon, key, resource_id, kind, details, created_at)
             SELECT addon, key, id, 'adopt', $3, {now} FROM maitre_resources WHERE addon = $1 AND key = $2";
        db.execute(insert, values![addon, key, &self.seal(engine, addon, key)]).await.map(drop)
    }

    fn seal(&self, engine: &Engine, addon: &str, key: &str) -> Vec<u8> {
        engine.keys.seal(&aad(addon, key, "details"), &serde_json::to_vec(self).unwrap_or_default())
    }

    async fn insert(
        &self,
        engine: &Engine,
        db: &mut Connection<'_>,
        kind: ActionKind,
        (addon, key, resource): (&str, &str, Option<i64>),
        (operation, job): (Option<i64>, Option<i64>),
    ) -> Result<(), LedgerError> {
        let sealed = self.seal(engine, addon, key);
        let insert = "INSERT INTO maitre_actions (addon, key, resource_id, operation_id, job_id, kind, details,
             created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, {now})";
        let values = values![addon, key, resource, operation, job, kind.as_str(), &sealed];
        db.execute(insert, values).await.map(drop)
    }
}

impl ActionView {
    fn read(engine: &Engine, row: &Row) -> Result<Self, LedgerError> {
        let row = row.of("maitre_actions")?;
        let aad = aad(&row.text("addon")?, &row.text("key")?, "details");
        let details = engine.open(&aad, &row.optional_bytes("details")?.unwrap_or_default())?;
        let Author { operator, reason } = serde_json::from_slice(&details)
            .map_err(|error| LedgerError::corrupt(format!("cannot parse the {aad}: {error}")))?;
        Ok(Self {
            kind: row.parse("kind")?,
            operator,
            reason,
            operation: row.optional_number("operation_id")?,
            job: row.optional_number("job_id")?,
            created_at: timestamp(row.number("created_at")?),
        })
    }

    /// Returns the actions on a resource, oldest first.
    pub(super) async fn of_resource(
        engine: &Engine,
        db: &mut Connection<'_>,
        resource: i64,
    ) -> Result<Vec<Self>, LedgerError> {
        let select = "SELECT * FROM maitre_actions WHERE resource_id = $1 ORDER BY id";
        db.rows(select, values![resource]).await?.iter().map(|row| Self::read(engine, row)).collect()
    }
}
