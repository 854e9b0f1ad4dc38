//! Views for operators. They contain no secret.

use std::time::Duration;

use maitre_core::AddonId;
use time::OffsetDateTime;

use super::action::ActionView;
use super::context::Engine;
use super::operation::{OperationKind, OperationState};
use super::rows::{JobRow, Operation, Resource, addon_id, key_of, timestamp};
use super::rules::State;
use super::sealed::{aad, job_error_aad};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Resource, its operations and jobs, and what operators did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceView {
    /// Add-on of the resource.
    pub addon: AddonId,
    /// Key: the marketplace's id of the resource.
    pub key: String,
    /// Vendor's id of the resource, if it differs from the key.
    pub provider_id: Option<String>,
    /// State of the resource.
    pub state: State,
    /// Plan of the resource.
    pub plan: Option<String>,
    /// Time of the first request; of the adoption, if the time of the provision is not known.
    pub created_at: OffsetDateTime,
    /// Time at which the ledger learned of a resource that it did not provision.
    pub adopted_at: Option<OffsetDateTime>,
    /// Operations, oldest first.
    pub timeline: Vec<OperationView>,
    /// Jobs, oldest first.
    pub jobs: Vec<JobView>,
    /// Actions of operators, oldest first.
    pub actions: Vec<ActionView>,
}

/// Operation on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationView {
    /// Id, for [`Operator::retry`](crate::Operator::retry) and [`Operator::abandon`](crate::Operator::abandon).
    pub id: i64,
    /// Kind of operation.
    pub kind: OperationKind,
    /// State of the operation.
    pub state: OperationState,
    /// Requested plan.
    pub plan: Option<String>,
    /// Number of attempts so far.
    pub attempt: i64,
    /// Error of the last attempt, with passwords in URLs masked.
    pub last_error: Option<String>,
    /// Last progress message of the listener.
    pub progress: Option<String>,
    /// Time of the first request.
    pub requested_at: OffsetDateTime,
    /// Time at which the caller was answered "accepted".
    pub accepted_at: Option<OffsetDateTime>,
    /// Whether the listener has replied and the marketplace has yet to be notified.
    pub is_notification_pending: bool,
    /// Time at which the operation ended.
    pub finished_at: Option<OffsetDateTime>,
    /// Time of the next attempt; in the past while an attempt runs.
    pub scheduled_at: OffsetDateTime,
}

/// Statistics for alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Open operations.
    pub open_operations: i64,
    /// Parked operations, which an operator has to look at.
    pub parked_operations: i64,
    /// Age of the oldest open operation.
    pub oldest_open_age: Duration,
    /// Open jobs.
    pub open_jobs: i64,
    /// Parked jobs, which an operator has to look at.
    pub parked_jobs: i64,
}

/// Parked operation and its resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParkedOperation {
    /// Add-on of the resource.
    pub addon: AddonId,
    /// Key of the resource.
    pub key: String,
    /// The operation.
    pub operation: OperationView,
}

/// Job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobView {
    /// Id, for [`Operator::retry_job`](crate::Operator::retry_job) and
    /// [`Operator::abandon_job`](crate::Operator::abandon_job).
    pub id: i64,
    /// Add-on of the job.
    pub addon: AddonId,
    /// Kind of job, defined by the marketplace's crate: `grant`, `event`, `rotation`.
    pub kind: String,
    /// Resource of the job.
    pub resource: Option<String>,
    /// State of the job; an abandoned one is completed.
    pub state: OperationState,
    /// Number of attempts so far.
    pub attempt: i64,
    /// Error of the last attempt, with passwords in URLs masked.
    pub last_error: Option<String>,
    /// Time at which the job was enqueued.
    pub created_at: OffsetDateTime,
    /// Time of the next attempt; in the past while an attempt runs.
    pub scheduled_at: OffsetDateTime,
    /// Time at which the job ended.
    pub finished_at: Option<OffsetDateTime>,
}

/// Lists parked jobs, oldest first, at most a hundred.
pub(crate) struct ReadParkedJobs;

impl Command<Engine> for ReadParkedJobs {
    type Outcome = Vec<JobView>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Vec<JobView>, LedgerError> {
        let select = "SELECT *, deadline - {now} AS deadline_left FROM maitre_jobs WHERE state = 'parked'
             ORDER BY id LIMIT 100";
        let rows = db.rows(select, &[]).await?;
        rows.iter().map(|row| JobView::new(engine, JobRow::read(row)?)).collect()
    }
}

impl JobView {
    fn new(engine: &Engine, row: JobRow) -> Result<Self, LedgerError> {
        let JobRow { id, addon, kind, name, resource, last_error, .. } = row;
        Ok(Self {
            id,
            last_error: engine.open_text(&job_error_aad(&addon, &kind, &name), last_error.as_deref())?,
            addon: addon_id(&addon)?,
            kind,
            resource,
            state: row.state,
            attempt: row.attempt,
            created_at: timestamp(row.created_at),
            scheduled_at: timestamp(row.scheduled_at),
            finished_at: row.finished_at.map(timestamp),
        })
    }

    async fn of_resource(
        engine: &Engine,
        db: &mut Connection<'_>,
        resource: &Resource,
    ) -> Result<Vec<Self>, LedgerError> {
        let select = "SELECT *, deadline - {now} AS deadline_left FROM maitre_jobs WHERE resource = $1 AND addon = $2
             ORDER BY id";
        let rows = db.rows(select, values![&resource.key, &resource.addon]).await?;
        rows.iter().map(|row| Self::new(engine, JobRow::read(row)?)).collect()
    }
}

/// Lists parked operations, oldest first, at most a hundred.
pub(crate) struct ReadParkedOperations;

impl Command<Engine> for ReadParkedOperations {
    type Outcome = Vec<ParkedOperation>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Vec<ParkedOperation>, LedgerError> {
        let mut parked = Vec::new();
        for (resource, operation) in Operation::parked(db).await? {
            let row = db.row("SELECT * FROM maitre_resources WHERE id = $1", values![resource]).await?;
            let resource = Resource::read(&row)?;
            parked.push(ParkedOperation {
                operation: OperationView::new(engine, &resource, operation)?,
                addon: addon_id(&resource.addon)?,
                key: resource.key,
            });
        }
        Ok(parked)
    }
}

/// Reads a resource of any add-on by its key or provider id.
pub(crate) struct ReadResource {
    pub(crate) id: String,
}

impl Command<Engine> for ReadResource {
    type Outcome = Option<ResourceView>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Option<ResourceView>, LedgerError> {
        let by_key = "SELECT * FROM maitre_resources WHERE key = $1 ORDER BY id DESC LIMIT 1";
        let by_provider_id = "SELECT * FROM maitre_resources WHERE provider_id = $1 ORDER BY id DESC LIMIT 1";
        let mut found = db.optional_row(by_key, values![&*key_of(&self.id)]).await?;
        if found.is_none() {
            found = db.optional_row(by_provider_id, values![&self.id]).await?;
        }
        let Some(row) = found else { return Ok(None) };
        let resource = Resource::read(&row)?;
        let operations = Operation::of_resource(db, resource.id).await?;
        let timeline = operations.into_iter().map(|operation| OperationView::new(engine, &resource, operation));
        let timeline = timeline.collect::<Result<_, _>>()?;
        let jobs = JobView::of_resource(engine, db, &resource).await?;
        let actions = ActionView::of_resource(engine, db, resource.id).await?;
        let created_at = timestamp(row.number("created_at")?);
        let Resource { addon, key, provider_id, state, plan, .. } = resource;
        let addon = addon_id(&addon)?;
        let adopted_at = row.optional_number("adopted_at")?.map(timestamp);
        Ok(Some(ResourceView { addon, key, provider_id, state, plan, created_at, adopted_at, timeline, jobs, actions }))
    }
}

impl OperationView {
    fn new(engine: &Engine, resource: &Resource, operation: Operation) -> Result<Self, LedgerError> {
        let open_text = |column: &str, sealed: Option<&[u8]>| {
            engine.open_text(&aad(&resource.addon, &resource.key, column), sealed)
        };
        Ok(Self {
            id: operation.id,
            kind: operation.kind,
            state: operation.state,
            attempt: operation.attempt,
            last_error: open_text("last_error", operation.last_error.as_deref())?,
            progress: open_text("progress", operation.progress.as_deref())?,
            plan: operation.plan,
            requested_at: timestamp(operation.requested_at),
            accepted_at: operation.accepted_at.map(timestamp),
            is_notification_pending: operation.state == OperationState::Open && operation.notifying,
            finished_at: operation.finished_at.map(timestamp),
            scheduled_at: timestamp(operation.scheduled_at),
        })
    }
}

/// Counts open and parked operations and jobs.
pub(crate) struct ReadStats;

impl Command<Engine> for ReadStats {
    type Outcome = Stats;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Stats, LedgerError> {
        let count = "SELECT (SELECT count(*) FROM maitre_operations WHERE state = 'open') AS open_operations,
             (SELECT count(*) FROM maitre_operations WHERE state = 'parked') AS parked_operations,
             {now} - COALESCE((SELECT min(requested_at) FROM maitre_operations WHERE state = 'open'), {now}) AS age,
             (SELECT count(*) FROM maitre_jobs WHERE state = 'open') AS open_jobs,
             (SELECT count(*) FROM maitre_jobs WHERE state = 'parked') AS parked_jobs";
        let row = db.row(count, &[]).await?;
        Ok(Stats {
            open_operations: row.number("open_operations")?,
            parked_operations: row.number("parked_operations")?,
            oldest_open_age: Duration::from_millis(row.number("age")?.try_into().unwrap_or_default()),
            open_jobs: row.number("open_jobs")?,
            parked_jobs: row.number("parked_jobs")?,
        })
    }
}
