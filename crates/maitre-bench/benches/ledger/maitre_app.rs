//! Add-ons written with `maitre`: a listener that answers immediately, with and without a ledger, and one that writes rows
//! of its own to a SQLite file.

use axum::Router;
use maitre::{
    Addon, Deprovision, Deprovisioned, Heroku, Listener, PlanChange, PlanChanged, Provision, Provisioned, Result,
    SignOn, SignedOn,
};
use maitre_bench_support::Outcome;
use maitre_bench_support::requests::{PASSWORD, SALT, USER};
use maitre_ledger::{Keys, Ledger};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};

use crate::baseline::CONNECTIONS;

/// Listener that answers immediately, or after it has written a row.
#[derive(Default)]
struct Counters {
    rows: Option<SqlitePool>,
}

impl Listener for Counters {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        if let Some(rows) = &self.rows {
            let insert = sqlx::query("INSERT INTO counters (resource, plan) VALUES ($1, $2)");
            insert.bind(request.resource.as_str()).bind(&request.plan).execute(rows).await?;
        }
        let url = format!("https://tally.example/counters/{}", request.resource);
        Ok(Provisioned::new(request.resource)
            .with_config("TALLY_URL", url)
            .with_config("TALLY_TOKEN", "9b1e7c04d5f24e0fa6d8c3b2a1907f5e")
            .with_message("Tally is ready."))
    }

    async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> {
        Ok(PlanChanged::new())
    }

    async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> {
        Ok(Deprovisioned::new())
    }

    async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
        Ok(SignedOn::redirect(format!("/dashboard/{}", request.resource)))
    }
}

pub(crate) fn keys() -> Outcome<Keys> {
    Ok(Keys::parse(&"5a".repeat(32))?)
}

fn app(listener: impl maitre_core::Backend) -> Outcome<Router> {
    let addon = Addon::new(Heroku::new(USER, PASSWORD, SALT)?, listener);
    Ok(Router::new().nest("/heroku", maitre::heroku(addon)))
}

pub(crate) fn bare() -> Outcome<Router> {
    app(Counters::default())
}

pub(crate) async fn kept(url: &str) -> Outcome<Router> {
    kept_with(url, Counters::default()).await
}

/// The same with a listener that writes a row for every provision to `file`, by a pool of its own with sqlx's defaults.
pub(crate) async fn kept_beside_rows(url: &str, file: &str) -> Outcome<Router> {
    let options = file.parse::<SqliteConnectOptions>()?.journal_mode(SqliteJournalMode::Wal);
    let rows = SqlitePool::connect_with(options).await?;
    sqlx::query("CREATE TABLE counters (resource TEXT PRIMARY KEY, plan TEXT NOT NULL)").execute(&rows).await?;
    kept_with(url, Counters { rows: Some(rows) }).await
}

async fn kept_with(url: &str, listener: Counters) -> Outcome<Router> {
    Ledger::migrate(url).await?;
    let ledger = Ledger::builder(url).keys(keys()?).connections(CONNECTIONS).open().await?;
    app(ledger.wrap(listener))
}
