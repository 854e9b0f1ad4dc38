//! What an operator needs: what happened to a resource, what is open, and a hand on what is stuck.

use std::time::Duration;

use maitre_core::AddonId;
use time::OffsetDateTime;

use crate::db::{Command, Connection, Milliseconds, Row, values};
use crate::engine::{Decide, Engine, Erase, OperationKind, OperationState, Retry, cause_at, key_of, place};
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::rules::State;

/// One resource as the ledger knows it. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceView {
    /// Marketplace and slug: `heroku/lantern`.
    pub addon: String,
    /// What the marketplace calls it.
    pub key: String,
    /// What the vendor calls it, where that is another name than its key.
    pub provider_id: Option<String>,
    /// Where it is in its life.
    pub state: State,
    /// Its plan.
    pub plan: Option<String>,
    /// What was asked for, oldest first.
    pub timeline: Vec<OperationView>,
}

/// One operation: what was asked, how often it was tried, what came of it, and what is next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationView {
    /// Its number, for [`Ledger::retry`] and [`Ledger::abandon`].
    pub id: i64,
    /// Kind of operation.
    pub kind: OperationKind,
    /// State of the operation.
    pub state: OperationState,
    /// The plan that was asked for.
    pub plan: Option<String>,
    /// How often the listener was called for it.
    pub attempt: i64,
    /// Why the last call failed, passwords in URLs masked.
    pub last_error: Option<String>,
    /// How far it is, in the listener's words.
    pub progress: Option<String>,
    /// When it was asked for first.
    pub requested_at: OffsetDateTime,
    /// When its caller was told that the answer comes later.
    pub accepted_at: Option<OffsetDateTime>,
    /// Whether the listener is done with it, and the marketplace is yet to be told.
    pub is_notification_pending: bool,
    /// When it ended.
    pub finished_at: Option<OffsetDateTime>,
    /// When it is tried next; in the past while somebody works on it.
    pub scheduled_at: OffsetDateTime,
}

/// Figures to raise an alarm on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Operations that are not done.
    pub open_operations: i64,
    /// Operations that a person has to look at.
    pub parked_operations: i64,
    /// How long ago the oldest open one was asked for.
    pub oldest_open_age: Duration,
    /// Errands that are not done.
    pub open_jobs: i64,
    /// Errands that a person has to look at.
    pub parked_jobs: i64,
}

/// An errand that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobView {
    /// Its number, for [`Ledger::retry_job`] and [`Ledger::abandon_job`].
    pub id: i64,
    /// Marketplace and slug.
    pub addon: String,
    /// What has to be done: `grant`, `event`, `rotation`.
    pub kind: String,
    /// The resource that it is about.
    pub resource: Option<String>,
    /// Why the last run failed, passwords in URLs masked.
    pub last_error: Option<String>,
    /// When it was written down.
    pub created_at: OffsetDateTime,
}

fn instant(milliseconds: Milliseconds) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

impl Ledger {
    /// A resource by its key or by the vendor's name of it, of any add-on, with its timeline.
    ///
    /// # Errors
    /// [`LedgerError`] when the database fails.
    pub async fn resource(&self, id: &str) -> Result<Option<ResourceView>, LedgerError> {
        self.inner.db.read(View { id: id.to_owned() }).await
    }

    /// What is open, parked, and how old the oldest open operation is.
    ///
    /// # Errors
    /// [`LedgerError`] when the database fails.
    pub async fn stats(&self) -> Result<Stats, LedgerError> {
        self.inner.db.read(Count).await
    }

    /// Lets a parked operation, or one that rests, be tried at once. Says whether there was such a one.
    ///
    /// # Errors
    /// [`LedgerError`] when the database fails.
    pub async fn retry(&self, operation: i64) -> Result<bool, LedgerError> {
        let changed = self.inner.db.write(Retry { operation }).await?;
        self.inner.waiting.hurry();
        Ok(changed)
    }

    /// Gives a parked operation up: it stays in the timeline and is not tried again. Says whether there was such a one.
    /// A resource that was parked stays so, until it is ordered anew or removed.
    ///
    /// # Errors
    /// [`LedgerError`] when the database fails.
    pub async fn abandon(&self, operation: i64) -> Result<bool, LedgerError> {
        self.inner.db.write(Abandon { operation }).await
    }
}

impl Ledger {
    /// Erases what is left of a removed resource, its timeline too: of a person's data nothing stays, of the resource its
    /// key, so that it never lives again. Says whether there was such a resource; one that lives is left alone.
    ///
    /// # Errors
    /// [`LedgerError`] when the database fails.
    pub async fn erase(&self, addon: &AddonId, id: &str) -> Result<bool, LedgerError> {
        self.inner.db.write(Erase { addon: addon.to_string(), id: id.to_owned() }).await
    }
}

impl Ledger {
    /// Errands that a person has to look at, oldest first, at most a hundred.
    ///
    /// # Errors
    /// [`LedgerError`] when the database fails.
    pub async fn parked_jobs(&self) -> Result<Vec<JobView>, LedgerError> {
        self.inner.db.read(ParkedErrands).await
    }

    /// Lets an errand run at once, also one that was parked. Says whether there was such a one.
    ///
    /// # Errors
    /// [`LedgerError`] when the database fails.
    pub async fn retry_job(&self, errand: i64) -> Result<bool, LedgerError> {
        self.inner.db.write(Decide { number: errand, again: true }).await
    }

    /// Gives a parked errand up. Says whether there was such a one.
    ///
    /// # Errors
    /// [`LedgerError`] when the database fails.
    pub async fn abandon_job(&self, errand: i64) -> Result<bool, LedgerError> {
        self.inner.db.write(Decide { number: errand, again: false }).await
    }
}

struct ParkedErrands;

impl Command for ParkedErrands {
    type Outcome = Vec<JobView>;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Vec<JobView>, LedgerError> {
        let parked = "SELECT * FROM maitre_jobs WHERE state = 'parked' ORDER BY id LIMIT 100";
        let rows = on.rows(parked, &[]).await?;
        rows.iter()
            .map(|row| {
                let (addon, kind, name) = (row.text("addon")?, row.text("kind")?, row.text("name")?);
                let cause = match row.maybe_bytes("last_error")? {
                    Some(sealed) => Some(engine.keys.open(&cause_at(&addon, &kind, &name), &sealed)?),
                    None => None,
                };
                Ok(JobView {
                    id: row.number("id")?,
                    resource: row.maybe_text("resource")?,
                    last_error: cause.map(|cause| String::from_utf8_lossy(&cause).into_owned()),
                    created_at: instant(row.number("created_at")?),
                    addon,
                    kind,
                })
            })
            .collect()
    }
}

struct View {
    id: String,
}

impl Command for View {
    type Outcome = Option<ResourceView>;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Option<ResourceView>, LedgerError> {
        let by_key = "SELECT * FROM maitre_resources WHERE key = $1 ORDER BY id DESC LIMIT 1";
        let by_name = "SELECT * FROM maitre_resources WHERE provider_id = $1 ORDER BY id DESC LIMIT 1";
        let mut found = on.maybe_row(by_key, values![&*key_of(&self.id)]).await?;
        if found.is_none() {
            found = on.maybe_row(by_name, values![&self.id]).await?;
        }
        let Some(row) = found else { return Ok(None) };
        let operations = "SELECT * FROM maitre_operations WHERE resource = $1 ORDER BY id";
        let operations = on.rows(operations, values![row.number("id")?]).await?;
        let (addon, key) = (row.text("addon")?, row.text("key")?);
        let timeline = operations.iter().map(|row| OperationView::read(row, engine, &addon, &key));
        let timeline = timeline.collect::<Result<_, _>>()?;
        Ok(Some(ResourceView {
            addon,
            key,
            provider_id: row.maybe_text("provider_id")?,
            state: row.text("state")?.parse().map_err(|()| LedgerError::damaged("a resource in an unknown state"))?,
            plan: row.maybe_text("plan")?,
            timeline,
        }))
    }
}

impl OperationView {
    fn read(row: &Row, engine: &Engine, addon: &str, key: &str) -> Result<Self, LedgerError> {
        let sentence = |column: &'static str| -> Result<Option<String>, LedgerError> {
            let Some(sealed) = row.maybe_bytes(column)? else { return Ok(None) };
            let text = engine.keys.open(&place(addon, key, column), &sealed)?;
            Ok(Some(String::from_utf8_lossy(&text).into_owned()))
        };
        let state = OperationState::read(&row.text("state")?)?;
        Ok(Self {
            id: row.number("id")?,
            kind: OperationKind::read(&row.text("kind")?)?,
            state,
            plan: row.maybe_text("plan")?,
            attempt: row.number("attempt")?,
            last_error: sentence("last_error")?,
            progress: sentence("progress")?,
            requested_at: instant(row.number("requested_at")?),
            accepted_at: row.maybe_number("accepted_at")?.map(instant),
            is_notification_pending: state == OperationState::Open && row.flag("notifying")?,
            finished_at: row.maybe_number("finished_at")?.map(instant),
            scheduled_at: instant(row.number("scheduled_at")?),
        })
    }
}

pub(crate) struct Count;

impl Command for Count {
    type Outcome = Stats;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<Stats, LedgerError> {
        let count = "SELECT (SELECT count(*) FROM maitre_operations WHERE state = 'open') AS open,
             (SELECT count(*) FROM maitre_operations WHERE state = 'parked') AS parked,
             {now} - COALESCE((SELECT min(requested_at) FROM maitre_operations WHERE state = 'open'), {now}) AS age,
             (SELECT count(*) FROM maitre_jobs WHERE state = 'open') AS open_jobs,
             (SELECT count(*) FROM maitre_jobs WHERE state = 'parked') AS parked_jobs";
        let row = on.row(count, &[]).await?;
        let oldest_open = Duration::from_millis(row.number("age")?.try_into().unwrap_or_default());
        Ok(Stats {
            open_operations: row.number("open")?,
            parked_operations: row.number("parked")?,
            oldest_open_age: oldest_open,
            open_jobs: row.number("open_jobs")?,
            parked_jobs: row.number("parked_jobs")?,
        })
    }
}

struct Abandon {
    operation: i64,
}

impl Command for Abandon {
    type Outcome = bool;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let abandon =
            "UPDATE maitre_operations SET state = 'abandoned', request = NULL WHERE id = $1 AND state = 'parked'";
        Ok(on.run(abandon, values![self.operation]).await? == 1)
    }
}
