//! Resources and their counters, in the same database as the ledger: a SQLite file or Postgres.

use std::time::Duration;

use anyhow::Context;
use maitre::Failure;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Error, Executor, FromRow, Row};

/// Tables. `fence` is the fencing token of the last write: a write with a lower one, from a process that was paused and has
/// lost its lease, has no effect. The row of a deprovisioned resource is therefore kept, without its token, and created if
/// the deprovision overtook the provision.
const SCHEMA: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS resources (
        addon TEXT NOT NULL,
        key TEXT NOT NULL,
        plan TEXT NOT NULL,
        token TEXT UNIQUE,
        fence BIGINT NOT NULL,
        PRIMARY KEY (addon, key)
    )",
    "CREATE TABLE IF NOT EXISTS counters (
        addon TEXT NOT NULL,
        key TEXT NOT NULL,
        name TEXT NOT NULL,
        value BIGINT NOT NULL,
        PRIMARY KEY (addon, key, name)
    )",
    "CREATE TABLE IF NOT EXISTS old_tokens (
        token TEXT PRIMARY KEY,
        addon TEXT NOT NULL,
        key TEXT NOT NULL,
        expires_at BIGINT NOT NULL
    )",
    "CREATE TABLE IF NOT EXISTS suspensions (
        addon TEXT NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (addon, key)
    )",
];

#[derive(Clone)]
pub(crate) struct Store {
    pool: AnyPool,
}

#[derive(FromRow)]
pub(crate) struct Resource {
    pub(crate) addon: String,
    pub(crate) key: String,
    pub(crate) plan: String,
    pub(crate) token: String,
}

#[derive(FromRow)]
pub(crate) struct Counter {
    pub(crate) name: String,
    pub(crate) value: i64,
}

/// Returns the time in seconds since 1970.
fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

/// Error of a write that had no effect because a call with a higher fencing token was made before.
const FENCED: &str = "fenced by a newer call";

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
            .test_before_acquire(false) // the following is a test as well
            .before_acquire(|connection, _| {
                Box::pin(async move {
                    if connection.backend_name() != "PostgreSQL" {
                        return Ok(true);
                    }
                    // a session stays read-only after a failover, although the new server is writable
                    let is_writable = "SELECT current_setting('transaction_read_only') = 'off'";
                    connection.fetch_one(is_writable).await?.try_get::<bool, _>(0)
                })
            })
            .connect(url)
            .await
            .with_context(|| format!("cannot open {}", maitre::mask_urls(url)))?;
        Ok(Self { pool })
    }

    /// Creates the tables.
    pub(crate) async fn migrate(&self) -> Result<(), Error> {
        for table in SCHEMA {
            if self.pool.execute(table).await.is_err() {
                self.pool.execute(table).await?; // another process was creating the table concurrently
            }
        }
        Ok(())
    }

    /// Creates or gets a resource, in one statement: a concurrent or later call returns the existing resource. A deprovisioned
    /// resource is created again only by a call after its deprovision, at a marketplace that reuses keys.
    pub(crate) async fn create_or_get(
        &self,
        addon: &str,
        key: &str,
        plan: &str,
        token: &str,
        fence: i64,
    ) -> maitre::Result<Resource> {
        let create = sqlx::query_as(
            "INSERT INTO resources (addon, key, plan, token, fence) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (addon, key) DO UPDATE SET fence = excluded.fence,
                plan = CASE WHEN resources.token IS NULL THEN excluded.plan ELSE resources.plan END,
                token = COALESCE(resources.token, excluded.token)
             WHERE resources.fence < excluded.fence
                OR (resources.fence = excluded.fence AND resources.token IS NOT NULL)
             RETURNING addon, key, plan, token",
        );
        let create = create.bind(addon).bind(key).bind(plan).bind(token).bind(fence);
        create.fetch_optional(&self.pool).await?.ok_or_else(|| Failure::unavailable(FENCED))
    }

    pub(crate) async fn find(&self, addon: &str, key: &str) -> Result<Option<Resource>, Error> {
        let find = "SELECT addon, key, plan, token FROM resources
                    WHERE addon = $1 AND key = $2 AND token IS NOT NULL";
        sqlx::query_as(find).bind(addon).bind(key).fetch_optional(&self.pool).await
    }

    pub(crate) async fn find_by_token(&self, token: &str) -> Result<Option<Resource>, Error> {
        let find = "SELECT addon, key, plan, token FROM resources WHERE token = $1
             UNION ALL SELECT r.addon AS addon, r.key AS key, r.plan AS plan, r.token AS token
             FROM old_tokens o JOIN resources r ON r.addon = o.addon AND r.key = o.key
             WHERE o.token = $1 AND o.expires_at > $2 AND r.token IS NOT NULL";
        sqlx::query_as(find).bind(token).bind(now()).fetch_optional(&self.pool).await
    }

    /// Replaces the token of a resource. The old one stays valid for `keep_old`.
    pub(crate) async fn rotate(
        &self,
        resource: &Resource,
        token: &str,
        keep_old: Duration,
        fence: i64,
    ) -> maitre::Result<()> {
        let mut transaction = self.pool.begin().await?;
        let rotate = "UPDATE resources SET token = $3, fence = $4
                      WHERE addon = $1 AND key = $2 AND fence <= $4 AND token IS NOT NULL";
        let rotate = sqlx::query(rotate).bind(&resource.addon).bind(&resource.key).bind(token).bind(fence);
        if transaction.execute(rotate).await?.rows_affected() == 0 {
            return Err(Failure::unavailable(FENCED));
        }
        let keep = "INSERT INTO old_tokens (token, addon, key, expires_at) VALUES ($1, $2, $3, $4)
                    ON CONFLICT DO NOTHING";
        let expires_at = now().saturating_add(i64::try_from(keep_old.as_secs())?);
        let keep = sqlx::query(keep).bind(&resource.token).bind(&resource.addon).bind(&resource.key).bind(expires_at);
        transaction.execute(keep).await?;
        Ok(transaction.commit().await?)
    }

    pub(crate) async fn change_plan(&self, resource: &Resource, plan: &str, fence: i64) -> maitre::Result<()> {
        let change = "UPDATE resources SET plan = $3, fence = $4
                      WHERE addon = $1 AND key = $2 AND fence <= $4 AND token IS NOT NULL";
        let change = sqlx::query(change).bind(&resource.addon).bind(&resource.key).bind(plan).bind(fence);
        match change.execute(&self.pool).await?.rows_affected() {
            0 => Err(Failure::unavailable(FENCED)),
            _ => Ok(()),
        }
    }

    /// Deletes a resource, and prevents that a provision with a lower fencing token creates it later.
    pub(crate) async fn delete(&self, addon: &str, key: &str, fence: i64) -> maitre::Result<()> {
        let exists = self.find(addon, key).await?.is_some();
        let mut transaction = self.pool.begin().await?;
        let delete = "INSERT INTO resources (addon, key, plan, fence) VALUES ($1, $2, '', $3)
                      ON CONFLICT (addon, key) DO UPDATE SET token = NULL, fence = excluded.fence
                      WHERE resources.fence <= excluded.fence";
        let delete = sqlx::query(delete).bind(addon).bind(key).bind(fence);
        let is_fenced = transaction.execute(delete).await?.rows_affected() == 0;
        let counters = sqlx::query("DELETE FROM counters WHERE addon = $1 AND key = $2").bind(addon).bind(key);
        transaction.execute(counters).await?;
        let old_tokens = sqlx::query("DELETE FROM old_tokens WHERE addon = $1 AND key = $2").bind(addon).bind(key);
        transaction.execute(old_tokens).await?;
        let suspension = sqlx::query("DELETE FROM suspensions WHERE addon = $1 AND key = $2").bind(addon).bind(key);
        transaction.execute(suspension).await?;
        transaction.commit().await?;
        match exists {
            true if is_fenced => Err(Failure::unavailable(FENCED)),
            true => Ok(()),
            false => Err(Failure::unknown()),
        }
    }

    /// Suspends a resource, or ends its suspension.
    pub(crate) async fn set_suspended(&self, resource: &Resource, suspended: bool) -> Result<(), Error> {
        let statement = if suspended {
            "INSERT INTO suspensions (addon, key) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM suspensions WHERE addon = $1 AND key = $2"
        };
        sqlx::query(statement).bind(&resource.addon).bind(&resource.key).execute(&self.pool).await.map(drop)
    }

    pub(crate) async fn is_suspended(&self, resource: &Resource) -> Result<bool, Error> {
        let find = sqlx::query("SELECT key FROM suspensions WHERE addon = $1 AND key = $2");
        Ok(find.bind(&resource.addon).bind(&resource.key).fetch_optional(&self.pool).await?.is_some())
    }

    /// Increments a counter. Returns `None` if a new counter would exceed the maximum.
    pub(crate) async fn increment(&self, resource: &Resource, name: &str, max: i64) -> Result<Option<Counter>, Error> {
        let increment = "INSERT INTO counters (addon, key, name, value)
             SELECT $1, $2, $3, 1
             WHERE EXISTS (SELECT 1 FROM counters WHERE addon = $1 AND key = $2 AND name = $3)
                OR (SELECT count(*) FROM counters WHERE addon = $1 AND key = $2) < $4
             ON CONFLICT (addon, key, name) DO UPDATE SET value = counters.value + 1 RETURNING name, value";
        let increment = sqlx::query_as(increment).bind(&resource.addon).bind(&resource.key).bind(name).bind(max);
        increment.fetch_optional(&self.pool).await
    }

    pub(crate) async fn counters(&self, resource: &Resource) -> Result<Vec<Counter>, Error> {
        let counters = "SELECT name, value FROM counters WHERE addon = $1 AND key = $2 ORDER BY name";
        sqlx::query_as(counters).bind(&resource.addon).bind(&resource.key).fetch_all(&self.pool).await
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
