//! Errands: small work that is written down and done soon.

use std::time::Duration;

use maitre_core::{Job, ResourceId};

use super::Engine;
use super::records::key_of;
use crate::db::{Command, Connection, Milliseconds, Row, values};
use crate::error::LedgerError;

/// So long before it is too late for an errand somebody is told.
const LATE: Milliseconds = 2 * 60_000;

/// How long the name of an errand that is done is remembered: longer than a marketplace delivers an event again.
const REMEMBERED: Milliseconds = 8 * 24 * 60 * 60_000;

/// Writes an errand down; the outcome says whether it is new.
pub(crate) struct Note {
    pub(crate) addon: String,
    pub(crate) errand: Job,
}

impl Command for Note {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let note =
            "INSERT INTO maitre_jobs (addon, kind, name, resource, payload, state, scheduled_at, deadline, created_at)
             VALUES ($1, $2, $3, $4, $5, 'open', {now} + $6, $7, {now}) ON CONFLICT (addon, kind, name) DO NOTHING";
        let Noted { kind, name, resource, payload, after, ends_at } = Noted::of(&self.addon, &self.errand, engine);
        let values = values![&self.addon, kind, name, resource.as_deref(), &payload, after, ends_at];
        Ok(on.run(note, values).await? == 1)
    }
}

/// An errand as its row holds it.
pub(super) struct Noted<'e> {
    pub(super) kind: &'e str,
    pub(super) name: &'e str,
    pub(super) resource: Option<String>,
    pub(super) payload: Vec<u8>,
    pub(super) after: Milliseconds,
    pub(super) ends_at: Option<Milliseconds>,
}

impl<'e> Noted<'e> {
    pub(super) fn of(addon: &str, errand: &'e Job, engine: &Engine) -> Self {
        Self {
            kind: &errand.kind,
            name: &errand.name,
            resource: errand.resource.as_ref().map(|resource| key_of(resource.as_str()).into_owned()),
            payload: engine.keys.seal(&payload_at(addon, &errand.kind, &errand.name), &errand.payload),
            after: Milliseconds::try_from(errand.delay.as_millis()).unwrap_or(Milliseconds::MAX / 2),
            ends_at: errand.deadline.and_then(|end| i64::try_from(end.unix_timestamp_nanos() / 1_000_000).ok()),
        }
    }
}

pub(crate) fn payload_at(addon: &str, kind: &str, name: &str) -> String {
    format!("payload of {addon} {kind} {name}")
}

pub(crate) fn cause_at(addon: &str, kind: &str, name: &str) -> String {
    format!("cause of {addon} {kind} {name}")
}

/// The right to run an errand until the lease ends: for as long as nobody has begun it once more.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) number: i64,
    attempt: i64,
    pub(crate) addon: String,
    pub(crate) errand: Job,
}

/// Which errand.
pub(crate) enum Which {
    Number(i64),
    Named { addon: String, kind: String, name: String },
}

/// Takes an errand, if nobody runs it and its time has come.
pub(crate) struct TakeErrand(pub(crate) Which);

impl Command for TakeErrand {
    type Outcome = Option<Run>;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Option<Run>, LedgerError> {
        let row = match &self.0 {
            Which::Number(number) => on.maybe_row(BY_NUMBER, values![*number]).await?,
            Which::Named { addon, kind, name } => on.maybe_row(BY_NAME, values![addon, kind, name]).await?,
        };
        let Some(row) = row else { return Ok(None) };
        let (number, attempt) = (row.number("id")?, row.number("attempt")? + 1);
        let (addon, errand) = read(&row, engine)?;
        let left = row.maybe_number("left_to_it")?;
        if left.is_some_and(|left| left <= 0) {
            tracing::error!(
                kind = errand.kind,
                resource = errand.resource.as_ref().map(ResourceId::as_str),
                addon,
                "too late for an errand: a worker was down, or the marketplace did not answer"
            );
            let cause = engine.keys.seal(&cause_at(&addon, &errand.kind, &errand.name), b"too late");
            on.run(PARK, values![number, attempt - 1, &cause]).await?;
            return Ok(None);
        }
        let late = i64::from(left.is_some_and(|left| left < LATE));
        if late > row.number("alarm_level")? {
            tracing::error!(
                kind = errand.kind,
                resource = errand.resource.as_ref().map(ResourceId::as_str),
                addon,
                seconds_left = left.unwrap_or_default() / 1000,
                "an errand is late: soon it is too late for it"
            );
            crate::observe::late(&addon, &errand.kind);
        }
        let take = "UPDATE maitre_jobs SET attempt = $2, lease_until = {now} + $3, alarm_level = $4 WHERE id = $1";
        on.run(take, values![number, attempt, engine.limits.lease, late]).await?;
        Ok(Some(Run { number, attempt, addon, errand }))
    }
}

const BY_NUMBER: &str = "SELECT *, deadline - {now} AS left_to_it FROM maitre_jobs
     WHERE id = $1 AND state = 'open' AND lease_until <= {now} AND scheduled_at <= {now} {lock}";
const BY_NAME: &str = "SELECT *, deadline - {now} AS left_to_it FROM maitre_jobs WHERE addon = $1 AND kind = $2
     AND name = $3 AND state = 'open' AND lease_until <= {now} AND scheduled_at <= {now} {lock}";
const PARK: &str = "UPDATE maitre_jobs SET state = 'parked', last_error = $3, lease_until = 0, finished_at = {now}
     WHERE id = $1 AND attempt = $2 AND state = 'open'";

fn read(row: &Row, engine: &Engine) -> Result<(String, Job), LedgerError> {
    let (addon, kind, name) = (row.text("addon")?, row.text("kind")?, row.text("name")?);
    let sealed = row.maybe_bytes("payload")?.ok_or(LedgerError::damaged("an errand without its payload"))?;
    let payload = engine.keys.open(&payload_at(&addon, &kind, &name), &sealed)?;
    let mut errand = Job::new(kind, name, payload);
    errand.resource = row.maybe_text("resource")?.map(ResourceId::from);
    Ok((addon, errand))
}

/// What became of a run.
pub(crate) enum Ended {
    Done,
    Again(Duration, Vec<u8>),
    /// It is tried again later; parked when that was said too often, or when a person has to look.
    Failed {
        cause: String,
        for_good: bool,
    },
}

/// Writes down what became of an errand; the outcome says whether it was still ours to say.
pub(crate) struct EndErrand {
    pub(crate) run: Run,
    pub(crate) ended: Ended,
}

impl Command for EndErrand {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Run { number, attempt, addon, errand } = &self.run;
        let changed = match &self.ended {
            Ended::Done => {
                let done =
                    "UPDATE maitre_jobs SET state = 'completed', payload = NULL, last_error = NULL, lease_until = 0,
                     finished_at = {now} WHERE id = $1 AND attempt = $2 AND state = 'open'";
                on.run(done, values![*number, *attempt]).await?
            }
            Ended::Again(rest, payload) => {
                let again =
                    "UPDATE maitre_jobs SET payload = $3, scheduled_at = {now} + $4, attempt = 0, last_error = NULL,
                     lease_until = 0 WHERE id = $1 AND attempt = $2 AND state = 'open'";
                let payload = engine.keys.seal(&payload_at(addon, &errand.kind, &errand.name), payload);
                let rest = Milliseconds::try_from(rest.as_millis()).unwrap_or(Milliseconds::MAX / 2);
                on.run(again, values![*number, *attempt, &payload, rest]).await?
            }
            Ended::Failed { cause, for_good } => {
                let sealed = engine.keys.seal(&cause_at(addon, &errand.kind, &errand.name), cause.as_bytes());
                if *for_good || (*attempt >= engine.limits.attempts && errand.deadline.is_none()) {
                    tracing::error!(
                        kind = errand.kind,
                        resource = errand.resource.as_ref().map(ResourceId::as_str),
                        addon,
                        attempt,
                        cause,
                        "parked an errand: look at the cause, then retry or abandon it"
                    );
                    on.run(PARK, values![*number, *attempt, &sealed]).await?
                } else {
                    let later = "UPDATE maitre_jobs SET lease_until = 0, last_error = $3, scheduled_at = {now} + $4
                         WHERE id = $1 AND attempt = $2 AND state = 'open'";
                    on.run(later, values![*number, *attempt, &sealed, engine.backoff(*attempt)]).await?
                }
            }
        };
        Ok(changed == 1)
    }
}

/// Makes the lease of a run last longer; the outcome says whether it was still ours.
pub(crate) struct RenewErrand(pub(crate) Run);

impl Command for RenewErrand {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let renew = "UPDATE maitre_jobs SET lease_until = {now} + $3
             WHERE id = $1 AND attempt = $2 AND state = 'open' AND lease_until > {now}";
        Ok(on.run(renew, values![self.0.number, self.0.attempt, engine.limits.lease]).await? == 1)
    }
}

/// Errands that nobody runs and whose time has come; those first for which it will be too late.
pub(crate) struct DueErrands {
    pub(crate) addon: String,
    pub(crate) limit: i64,
}

impl Command for DueErrands {
    type Outcome = Vec<i64>;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<Vec<i64>, LedgerError> {
        let due = "SELECT id FROM maitre_jobs WHERE state = 'open' AND scheduled_at <= {now} AND lease_until <= {now}
             AND addon = $1 ORDER BY CASE WHEN deadline IS NULL THEN 1 ELSE 0 END, scheduled_at LIMIT $2";
        on.rows(due, values![&self.addon, self.limit]).await?.iter().map(|row| row.number("id")).collect()
    }
}

/// A person's hand on a parked errand: once more and at once, or never again.
pub(crate) struct Decide {
    pub(crate) number: i64,
    pub(crate) again: bool,
}

impl Command for Decide {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let decide = if self.again {
            "UPDATE maitre_jobs SET state = 'open', attempt = 0, scheduled_at = {now}, finished_at = NULL
             WHERE id = $1 AND state IN ('open', 'parked') AND lease_until <= {now}"
        } else {
            "UPDATE maitre_jobs SET state = 'completed', payload = NULL WHERE id = $1 AND state = 'parked'"
        };
        Ok(on.run(decide, values![self.number]).await? == 1)
    }
}

/// What was done so long ago that it cannot come again.
pub(super) async fn forget(on: &mut Connection<'_>) -> Result<(), LedgerError> {
    let old = "DELETE FROM maitre_jobs WHERE state = 'completed' AND finished_at <= {now} - $1";
    on.run(old, values![REMEMBERED]).await.map(drop)
}

/// What goes with its resource: errands that are not done, and values.
pub(super) async fn go_with(on: &mut Connection<'_>, addon: &str, resource: &str) -> Result<(), LedgerError> {
    let errands = "DELETE FROM maitre_jobs WHERE resource = $2 AND addon = $1 AND state <> 'completed'";
    on.run(errands, values![addon, resource]).await?;
    on.run("DELETE FROM maitre_values WHERE resource = $2 AND addon = $1", values![addon, resource]).await.map(drop)
}
