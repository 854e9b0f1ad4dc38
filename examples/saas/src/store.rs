//! Installs and their counters, in the same database as the ledger: a SQLite file, or Postgres.

use anyhow::Context;
use maitre::Failure;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Error, Executor, FromRow};

/// An install is unique by what its marketplace calls it. `fence` is that of the last call that wrote: an older one, from
/// a process that was paused and comes too late, changes nothing. For its sake the row stays when the install goes, without
/// a token.
const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS installs (
        addon TEXT NOT NULL,
        resource TEXT NOT NULL,
        plan TEXT NOT NULL,
        token TEXT UNIQUE,
        fence BIGINT NOT NULL,
        PRIMARY KEY (addon, resource)
    )",
    "CREATE TABLE IF NOT EXISTS counters (
        addon TEXT NOT NULL,
        resource TEXT NOT NULL,
        name TEXT NOT NULL,
        value BIGINT NOT NULL,
        PRIMARY KEY (addon, resource, name)
    )",
];

#[derive(Clone)]
pub(crate) struct Store {
    pool: AnyPool,
}

#[derive(FromRow)]
pub(crate) struct Install {
    pub(crate) addon: String,
    pub(crate) resource: String,
    pub(crate) plan: String,
    pub(crate) token: String,
}

#[derive(FromRow)]
pub(crate) struct Counter {
    pub(crate) name: String,
    pub(crate) value: i64,
}

/// A row was not changed, as somebody with a higher fence was there before.
const LATE: &str = "a newer call was here";

impl Store {
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new()
            .after_connect(|connection, _| {
                Box::pin(async move {
                    if connection.backend_name() == "SQLite" {
                        connection.execute("PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL").await?;
                    }
                    Ok(())
                })
            })
            .connect(url)
            .await
            .with_context(|| format!("cannot open {}", maitre::mask_urls(url)))?;
        Ok(Self { pool })
    }

    /// Makes the tables where they are not there.
    pub(crate) async fn migrate(&self) -> Result<(), Error> {
        for table in SCHEMA {
            if self.pool.execute(table).await.is_err() {
                self.pool.execute(table).await?; // two processes at once: the other one has made it by now
            }
        }
        Ok(())
    }

    /// Create or get, in one statement: whoever comes second, at the same time or later, gets what is there.
    pub(crate) async fn install(
        &self,
        addon: &str,
        resource: &str,
        plan: &str,
        token: &str,
        fence: i64,
    ) -> maitre::Result<Install> {
        let install = sqlx::query_as(
            "INSERT INTO installs (addon, resource, plan, token, fence) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (addon, resource) DO UPDATE SET fence = excluded.fence
             WHERE installs.fence <= excluded.fence AND installs.token IS NOT NULL
             RETURNING addon, resource, plan, token",
        );
        let install = install.bind(addon).bind(resource).bind(plan).bind(token).bind(fence);
        install.fetch_optional(&self.pool).await?.ok_or_else(|| Failure::unavailable(LATE))
    }

    pub(crate) async fn find(&self, addon: &str, resource: &str) -> Result<Option<Install>, Error> {
        let find = "SELECT addon, resource, plan, token FROM installs
                    WHERE addon = $1 AND resource = $2 AND token IS NOT NULL";
        sqlx::query_as(find).bind(addon).bind(resource).fetch_optional(&self.pool).await
    }

    pub(crate) async fn find_by_token(&self, token: &str) -> Result<Option<Install>, Error> {
        let find = "SELECT addon, resource, plan, token FROM installs WHERE token = $1";
        sqlx::query_as(find).bind(token).fetch_optional(&self.pool).await
    }

    pub(crate) async fn change_plan(&self, install: &Install, plan: &str, fence: i64) -> maitre::Result<()> {
        let change = "UPDATE installs SET plan = $3, fence = $4
                      WHERE addon = $1 AND resource = $2 AND fence <= $4 AND token IS NOT NULL";
        let change = sqlx::query(change).bind(&install.addon).bind(&install.resource).bind(plan).bind(fence);
        match change.execute(&self.pool).await?.rows_affected() {
            0 => Err(Failure::unavailable(LATE)),
            _ => Ok(()),
        }
    }

    pub(crate) async fn remove(&self, addon: &str, resource: &str, fence: i64) -> maitre::Result<()> {
        let mut transaction = self.pool.begin().await?;
        let removal = "UPDATE installs SET token = NULL, fence = $3 WHERE addon = $1 AND resource = $2 AND fence <= $3";
        let removal = sqlx::query(removal).bind(addon).bind(resource).bind(fence);
        let removed = transaction.execute(removal).await?.rows_affected();
        let counters =
            sqlx::query("DELETE FROM counters WHERE addon = $1 AND resource = $2").bind(addon).bind(resource);
        transaction.execute(counters).await?;
        transaction.commit().await?;
        if removed == 0 { Err(Failure::unknown()) } else { Ok(()) }
    }

    /// Counts one up; `None` when a new counter finds no room.
    pub(crate) async fn count(&self, install: &Install, name: &str, room: i64) -> Result<Option<Counter>, Error> {
        let count = "INSERT INTO counters (addon, resource, name, value)
             SELECT $1, $2, $3, 1
             WHERE EXISTS (SELECT 1 FROM counters WHERE addon = $1 AND resource = $2 AND name = $3)
                OR (SELECT count(*) FROM counters WHERE addon = $1 AND resource = $2) < $4
             ON CONFLICT (addon, resource, name) DO UPDATE SET value = counters.value + 1 RETURNING name, value";
        let count = sqlx::query_as(count).bind(&install.addon).bind(&install.resource).bind(name).bind(room);
        count.fetch_optional(&self.pool).await
    }

    pub(crate) async fn counters(&self, install: &Install) -> Result<Vec<Counter>, Error> {
        let counters = "SELECT name, value FROM counters WHERE addon = $1 AND resource = $2 ORDER BY name";
        sqlx::query_as(counters).bind(&install.addon).bind(&install.resource).fetch_all(&self.pool).await
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
