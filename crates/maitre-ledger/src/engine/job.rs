//! Jobs: durable background work beside operations.

use maitre_core::{Job, JobOutcome, ResourceId};

use super::action::{ActionKind, Author};
use super::context::Engine;
use super::rows::{JobRow, key_of};
use super::sealed::{job_error_aad, payload_aad};
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;

/// Time before a job's deadline at which the alarm is raised.
const ALARM_BEFORE: Milliseconds = 2 * 60_000;

/// Retention of the name of a completed job: longer than a marketplace redelivers an event.
const REMEMBERED: Milliseconds = 8 * 24 * 60 * 60_000;

/// Enqueues a job. Returns whether it is new.
pub(crate) struct EnqueueJob {
    pub(crate) addon: String,
    pub(crate) job: Job,
}

impl Command<Engine> for EnqueueJob {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let insert = "INSERT INTO maitre_jobs (addon, kind, name, resource, payload, state, scheduled_at, deadline,
             created_at) VALUES ($1, $2, $3, $4, $5, 'open', {now} + $6, $7, {now})
             ON CONFLICT (addon, kind, name) DO NOTHING";
        let NewJob { kind, name, resource, payload, delay, deadline } = NewJob::new(&self.addon, &self.job, engine);
        let values = values![&self.addon, kind, name, resource.as_deref(), &payload, delay, deadline];
        Ok(db.execute(insert, values).await? == 1)
    }
}

/// Deletes the jobs of a kind that a resource still has.
pub(crate) struct CancelJobs {
    pub(crate) addon: String,
    pub(crate) kind: &'static str,
    pub(crate) resource: String,
}

impl Command<Engine> for CancelJobs {
    type Outcome = ();

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<(), LedgerError> {
        let delete =
            "DELETE FROM maitre_jobs WHERE resource = $2 AND addon = $1 AND kind = $3 AND state <> 'completed'";
        db.execute(delete, values![&self.addon, &self.resource, self.kind]).await.map(drop)
    }
}

/// Columns of a new job.
pub(super) struct NewJob<'j> {
    pub(super) kind: &'j str,
    pub(super) name: &'j str,
    pub(super) resource: Option<String>,
    pub(super) payload: Vec<u8>,
    pub(super) delay: Milliseconds,
    pub(super) deadline: Option<Milliseconds>,
}

impl<'j> NewJob<'j> {
    pub(super) fn new(addon: &str, job: &'j Job, engine: &Engine) -> Self {
        Self {
            kind: &job.kind,
            name: &job.name,
            resource: job.resource.as_ref().map(|resource| key_of(resource.as_str()).into_owned()),
            payload: engine.keys.seal(&payload_aad(addon, &job.kind, &job.name), &job.payload),
            delay: Milliseconds::try_from(job.delay.as_millis()).unwrap_or(Milliseconds::MAX / 2),
            deadline: job.deadline.and_then(|end| i64::try_from(end.unix_timestamp_nanos() / 1_000_000).ok()),
        }
    }
}

/// Right to run a job until the lease expires, unless another attempt has begun.
#[derive(Clone)]
pub(crate) struct ClaimedJob {
    pub(crate) id: i64,
    attempt: i64,
    pub(crate) addon: String,
    pub(crate) job: Job,
}

/// Reference to a job.
pub(crate) enum JobRef {
    Id(i64),
    Name { addon: String, kind: String, name: String },
}

/// Claims a job, if it is due and no process runs it.
pub(crate) struct ClaimJob {
    pub(crate) job: JobRef,
    /// The only kinds that this process can run; any if `None`.
    pub(crate) only: Option<&'static [&'static str]>,
}

impl Command<Engine> for ClaimJob {
    type Outcome = Option<ClaimedJob>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Option<ClaimedJob>, LedgerError> {
        let row = match &self.job {
            JobRef::Id(id) => db.optional_row(BY_ID, values![*id]).await?,
            JobRef::Name { addon, kind, name } => db.optional_row(BY_NAME, values![addon, kind, name]).await?,
        };
        let Some(row) = row else { return Ok(None) };
        let JobRow { id, addon, kind, name, resource, payload, attempt, alarm_level, deadline_left, .. } =
            JobRow::read(&row)?;
        if self.only.is_some_and(|only| !only.contains(&&*kind)) {
            return Ok(None);
        }
        let attempt = attempt + 1;
        let payload = payload
            .ok_or_else(|| LedgerError::corrupt(format!("unexpected NULL in column payload of maitre_jobs id {id}")))?;
        let payload = engine.open(&payload_aad(&addon, &kind, &name), &payload)?;
        if deadline_left.is_some_and(|left| left <= 0) {
            tracing::error!(
                kind,
                resource,
                addon,
                "job missed its deadline: no worker was running, or the marketplace did not respond"
            );
            let error = engine.keys.seal(&job_error_aad(&addon, &kind, &name), b"deadline missed");
            db.execute(PARK, values![id, attempt - 1, &error]).await?;
            return Ok(None);
        }
        let alarm = i64::from(deadline_left.is_some_and(|left| left < ALARM_BEFORE));
        if alarm > alarm_level {
            let seconds_left = deadline_left.unwrap_or_default() / 1000;
            tracing::error!(kind, resource, addon, seconds_left, "job is close to its deadline");
            crate::metrics::deadline_alarm(&addon, &kind);
        }
        let claim = "UPDATE maitre_jobs SET attempt = $2, lease_until = {now} + $3, alarm_level = $4 WHERE id = $1";
        db.execute(claim, values![id, attempt, engine.limits.lease, alarm]).await?;
        let mut job = Job::new(kind, name, payload);
        job.resource = resource.map(ResourceId::from);
        Ok(Some(ClaimedJob { id, attempt, addon, job }))
    }
}

const BY_ID: &str = "SELECT *, deadline - {now} AS deadline_left FROM maitre_jobs
     WHERE id = $1 AND state = 'open' AND lease_until <= {now} AND scheduled_at <= {now} {lock}";
const BY_NAME: &str = "SELECT *, deadline - {now} AS deadline_left FROM maitre_jobs WHERE addon = $1 AND kind = $2
     AND name = $3 AND state = 'open' AND lease_until <= {now} AND scheduled_at <= {now} {lock}";
const PARK: &str = "UPDATE maitre_jobs SET state = 'parked', last_error = $3, lease_until = 0, finished_at = {now}
     WHERE id = $1 AND attempt = $2 AND state = 'open'";

/// Failure of an attempt: retried later, or parked if it is permanent or was the last attempt.
pub(crate) struct JobFailure {
    pub(crate) error: String,
    pub(crate) permanent: bool,
}

/// Records the result of an attempt. Returns whether the lease was still held.
pub(crate) struct CompleteJob {
    pub(crate) claimed: ClaimedJob,
    pub(crate) result: Result<JobOutcome, JobFailure>,
}

impl Command<Engine> for CompleteJob {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let ClaimedJob { id, attempt, addon, job } = &self.claimed;
        let changed = match &self.result {
            Ok(JobOutcome::Snooze(delay, payload)) => {
                let snooze = "UPDATE maitre_jobs SET payload = $3, scheduled_at = {now} + $4, attempt = 0,
                     last_error = NULL, lease_until = 0 WHERE id = $1 AND attempt = $2 AND state = 'open'";
                let payload = engine.keys.seal(&payload_aad(addon, &job.kind, &job.name), payload);
                let delay = Milliseconds::try_from(delay.as_millis()).unwrap_or(Milliseconds::MAX / 2);
                db.execute(snooze, values![*id, *attempt, &payload, delay]).await?
            }
            Ok(_) => {
                let complete = "UPDATE maitre_jobs SET state = 'completed', payload = NULL, last_error = NULL,
                     lease_until = 0, finished_at = {now} WHERE id = $1 AND attempt = $2 AND state = 'open'";
                db.execute(complete, values![*id, *attempt]).await?
            }
            Err(JobFailure { error, permanent }) => {
                let sealed = engine.keys.seal(&job_error_aad(addon, &job.kind, &job.name), error.as_bytes());
                if *permanent || *attempt >= engine.limits.max_attempts {
                    tracing::error!(
                        kind = job.kind,
                        resource = job.resource.as_ref().map(ResourceId::as_str),
                        addon,
                        attempt,
                        error,
                        "job parked: fix the cause, then retry or abandon it"
                    );
                    db.execute(PARK, values![*id, *attempt, &sealed]).await?
                } else {
                    let retry = "UPDATE maitre_jobs SET lease_until = 0, last_error = $3, scheduled_at = {now} + $4
                         WHERE id = $1 AND attempt = $2 AND state = 'open'";
                    db.execute(retry, values![*id, *attempt, &sealed, engine.backoff(*attempt)]).await?
                }
            }
        };
        Ok(changed == 1)
    }
}

/// Renews the lease of a job. Returns whether it was still held.
pub(crate) struct RenewJobLease(pub(crate) ClaimedJob);

impl Command<Engine> for RenewJobLease {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let renew = "UPDATE maitre_jobs SET lease_until = {now} + $3
             WHERE id = $1 AND attempt = $2 AND state = 'open' AND lease_until > {now}";
        Ok(db.execute(renew, values![self.0.id, self.0.attempt, engine.limits.lease]).await? == 1)
    }
}

/// Lists due jobs of an add-on that no process runs; those with a deadline first.
pub(crate) struct DueJobs {
    pub(crate) addon: String,
    pub(crate) limit: i64,
}

impl Command<Engine> for DueJobs {
    type Outcome = Vec<i64>;

    async fn apply(&self, _: &Engine, db: &mut Connection<'_>) -> Result<Vec<i64>, LedgerError> {
        let due = "SELECT id FROM maitre_jobs WHERE state = 'open' AND scheduled_at <= {now} AND lease_until <= {now}
             AND addon = $1 ORDER BY CASE WHEN deadline IS NULL THEN 1 ELSE 0 END, scheduled_at LIMIT $2";
        db.rows(due, values![&self.addon, self.limit]).await?.iter().map(|row| row.number("id")).collect()
    }
}

/// Operator decision on a parked job: retry now or abandon. Returns whether there was such a job.
pub(crate) struct RetryOrAbandonJob {
    pub(crate) id: i64,
    pub(crate) retry: bool,
    pub(crate) author: Author,
}

impl Command<Engine> for RetryOrAbandonJob {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let (update, kind) = if self.retry {
            let retry = "UPDATE maitre_jobs SET state = 'open', attempt = 0, scheduled_at = {now}, finished_at = NULL
                 WHERE id = $1 AND state IN ('open', 'parked') AND lease_until <= {now}
                 RETURNING *, deadline - {now} AS deadline_left";
            (retry, ActionKind::Retry)
        } else {
            let abandon =
                "UPDATE maitre_jobs SET state = 'completed', payload = NULL WHERE id = $1 AND state = 'parked'
                 RETURNING *, deadline - {now} AS deadline_left";
            (abandon, ActionKind::Abandon)
        };
        let Some(row) = db.optional_row(update, values![self.id]).await? else { return Ok(false) };
        self.author.record_job(engine, db, kind, &JobRow::read(&row)?).await?;
        Ok(true)
    }
}

/// Deletes the jobs that completed so long ago that their event is not delivered again.
pub(super) async fn delete_old_jobs(db: &mut Connection<'_>) -> Result<(), LedgerError> {
    let delete = "DELETE FROM maitre_jobs WHERE state = 'completed' AND finished_at <= {now} - $1";
    db.execute(delete, values![REMEMBERED]).await.map(drop)
}
