//! Installs and their counters, in one SQLite file.

use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Error, FromRow};

/// `removed` installs stay, so that their keys never live again. `ordered_plan` is the plan of the first order: a retry
/// of it is answered the same after any plan change.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS installs (
    id INTEGER PRIMARY KEY,
    addon TEXT NOT NULL,
    resource TEXT NOT NULL,
    ordered_plan TEXT NOT NULL,
    plan TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    removed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (addon, resource)
);
CREATE TABLE IF NOT EXISTS counters (
    install INTEGER NOT NULL REFERENCES installs (id),
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (install, name)
);";

#[derive(Clone)]
pub(crate) struct Store {
    pool: SqlitePool,
}

#[derive(FromRow)]
pub(crate) struct Install {
    pub(crate) id: i64,
    pub(crate) ordered_plan: String,
    pub(crate) plan: String,
    pub(crate) token: String,
    pub(crate) removed: bool,
}

#[derive(FromRow)]
pub(crate) struct Counter {
    pub(crate) name: String,
    pub(crate) value: i64,
}

impl Store {
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::from_str(url)
            .with_context(|| format!("DATABASE_URL is {}: write sqlite://file.db", maitre::mask_urls(url)))?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .connect_with(options)
            .await
            .with_context(|| format!("cannot open {}", maitre::mask_urls(url)))?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await?;
        Ok(Self { pool })
    }

    /// Create or get, in one statement: whoever comes second, at the same time or later, gets what is there.
    pub(crate) async fn install(&self, addon: &str, resource: &str, plan: &str, token: &str) -> Result<Install, Error> {
        sqlx::query_as(
            "INSERT INTO installs (addon, resource, ordered_plan, plan, token) VALUES (?1, ?2, ?3, ?3, ?4)
             ON CONFLICT (addon, resource) DO UPDATE SET resource = excluded.resource RETURNING *",
        )
        .bind(addon)
        .bind(resource)
        .bind(plan)
        .bind(token)
        .fetch_one(&self.pool)
        .await
    }

    pub(crate) async fn find(&self, addon: &str, resource: &str) -> Result<Option<Install>, Error> {
        sqlx::query_as("SELECT * FROM installs WHERE addon = ?1 AND resource = ?2")
            .bind(addon)
            .bind(resource)
            .fetch_optional(&self.pool)
            .await
    }

    pub(crate) async fn find_by_token(&self, token: &str) -> Result<Option<Install>, Error> {
        sqlx::query_as("SELECT * FROM installs WHERE token = ?1 AND NOT removed")
            .bind(token)
            .fetch_optional(&self.pool)
            .await
    }

    pub(crate) async fn change_plan(&self, install: i64, plan: &str) -> Result<(), Error> {
        let change = sqlx::query("UPDATE installs SET plan = ?2 WHERE id = ?1 AND NOT removed");
        change.bind(install).bind(plan).execute(&self.pool).await.map(drop)
    }

    /// Says whether it was this call that removed it.
    pub(crate) async fn remove(&self, install: i64) -> Result<bool, Error> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let removal = sqlx::query("UPDATE installs SET removed = TRUE WHERE id = ?1 AND NOT removed");
        let removed = removal.bind(install).execute(&mut *transaction).await?.rows_affected() > 0;
        sqlx::query("DELETE FROM counters WHERE install = ?1").bind(install).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(removed)
    }

    /// Counts one up; `None` when a new counter finds no room.
    pub(crate) async fn count(&self, install: i64, name: &str, room: i64) -> Result<Option<Counter>, Error> {
        sqlx::query_as(
            "INSERT INTO counters (install, name, value)
             SELECT ?1, ?2, 1 WHERE EXISTS (SELECT 1 FROM counters WHERE install = ?1 AND name = ?2)
                OR (SELECT count(*) FROM counters WHERE install = ?1) < ?3
             ON CONFLICT (install, name) DO UPDATE SET value = value + 1 RETURNING name, value",
        )
        .bind(install)
        .bind(name)
        .bind(room)
        .fetch_optional(&self.pool)
        .await
    }

    pub(crate) async fn counters(&self, install: i64) -> Result<Vec<Counter>, Error> {
        sqlx::query_as("SELECT name, value FROM counters WHERE install = ?1 ORDER BY name")
            .bind(install)
            .fetch_all(&self.pool)
            .await
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
