//! Two databases behind one kind of connection: the same statements, a few words of dialect.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::any::{AnyArguments, AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Executor, Row};

use crate::error::LedgerError;

pub(crate) type Milliseconds = i64;

/// Which of the two, and the words in which they differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    pub(crate) fn of(url: &str) -> Result<Self, LedgerError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") if cfg!(feature = "sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") if cfg!(feature = "postgres") => Ok(Self::Postgres),
            Some("sqlite") => Err(LedgerError::feature("sqlite")),
            Some("postgres" | "postgresql") => Err(LedgerError::feature("postgres")),
            _ => Err(LedgerError::url()),
        }
    }

    /// Milliseconds since 1970 by the database's own clock: hosts disagree, and leases must not.
    fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            Self::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        }
    }

    /// Holds a row until the end of the transaction; on SQLite the one writer holds everything.
    fn lock(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR UPDATE",
        }
    }

    /// How many tables have the name: one, or none.
    pub(crate) fn count_tables(self, name: &'static str) -> sqlx::query::Query<'static, sqlx::Any, AnyArguments> {
        let count = match self {
            Self::Sqlite => "SELECT CAST(count(*) AS BIGINT) FROM sqlite_master WHERE type = 'table' AND name = $1",
            Self::Postgres => {
                "SELECT CAST(count(*) AS BIGINT) FROM information_schema.tables
                 WHERE table_schema = current_schema() AND table_name = $1"
            }
        };
        sqlx::query(count).bind(name)
    }

    /// Takes a row that nobody else holds.
    fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }
}

/// A pool, its dialect, and how far tests have turned the clock.
#[derive(Debug, Clone)]
pub(crate) struct Db {
    pub(crate) pool: AnyPool,
    pub(crate) dialect: Dialect,
    pub(crate) clock_offset: Milliseconds,
}

impl Db {
    pub(crate) async fn connect(url: &str, connections: u32) -> Result<Self, LedgerError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url)?;
        let options: AnyConnectOptions = match dialect {
            Dialect::Sqlite if !url.contains("mode=") => {
                format!("{url}{}mode=rwc", if url.contains('?') { '&' } else { '?' }).parse()?
            }
            _ => url.parse()?,
        };
        let pool = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            .after_connect(move |connection, _| Box::pin(async move { prepare(connection, dialect).await }))
            .connect_with(options)
            .await?;
        Ok(Self { pool, dialect, clock_offset: 0 })
    }

    /// A statement with the dialect's words for `{now}`, `{lock}` and `{skip_locked}`.
    pub(crate) fn sql(&self, statement: &'static str) -> AssertSqlSafe<String> {
        // nothing but these fixed words and a number of our own goes into the text
        let now = format!("({} + {})", self.dialect.now(), self.clock_offset);
        let text = statement
            .replace("{now}", &now)
            .replace("{lock}", self.dialect.lock())
            .replace("{skip_locked}", self.dialect.skip_locked());
        AssertSqlSafe(text)
    }
}

/// The file of an embedded database, for the key beside it.
pub(crate) fn file_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or_default();
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}

async fn prepare(connection: &mut AnyConnection, dialect: Dialect) -> Result<(), sqlx::Error> {
    if dialect == Dialect::Sqlite {
        let pragmas = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                       PRAGMA foreign_keys = ON;";
        connection.execute(pragmas).await?;
    }
    Ok(())
}

/// Reading columns by name, with our own error.
pub(crate) trait Columns {
    fn text(&self, column: &str) -> Result<String, LedgerError>;
    fn maybe_text(&self, column: &str) -> Result<Option<String>, LedgerError>;
    fn number(&self, column: &str) -> Result<i64, LedgerError>;
    fn maybe_number(&self, column: &str) -> Result<Option<i64>, LedgerError>;
    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, LedgerError>;
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> Result<String, LedgerError> {
        Ok(self.try_get(column)?)
    }
    fn maybe_text(&self, column: &str) -> Result<Option<String>, LedgerError> {
        Ok(self.try_get(column)?)
    }
    fn number(&self, column: &str) -> Result<i64, LedgerError> {
        Ok(self.try_get(column)?)
    }
    fn maybe_number(&self, column: &str) -> Result<Option<i64>, LedgerError> {
        Ok(self.try_get(column)?)
    }
    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.try_get(column)?)
    }
}
