//! SQL dialect: the differences between the two databases.

use std::collections::HashMap;
#[cfg(feature = "sqlite")]
use std::sync::OnceLock;
use std::sync::{Arc, PoisonError, RwLock};

use crate::error::LedgerError;

pub(crate) type Milliseconds = i64;

/// Supported database, as far as the features go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DatabaseKind {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

impl DatabaseKind {
    pub(crate) fn of(url: &str) -> Result<Self, LedgerError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            #[cfg(feature = "sqlite")]
            Some("sqlite") => Ok(Self::Sqlite),
            #[cfg(not(feature = "sqlite"))]
            Some("sqlite") => Err(LedgerError::feature("sqlite")),
            #[cfg(feature = "postgres")]
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            #[cfg(not(feature = "postgres"))]
            Some("postgres" | "postgresql") => Err(LedgerError::feature("postgres")),
            _ => Err(LedgerError::url()),
        }
    }
}

/// Translates the engine's statements into the database's dialect.
///
/// | placeholder | meaning |
/// | --- | --- |
/// | `{now}` | milliseconds since 1970 by the database's clock, because the clocks of hosts differ and leases must not |
/// | `{lock}` | locks the row until the transaction ends; on SQLite the single writer holds the only write lock |
/// | `{skip_locked}` | returns only rows that no other transaction has locked |
/// | `{any $1}` | compares with each of a list of numbers or texts |
/// | `{returning id}` | returns the id of the inserted row; see [`Connection::insert`](super::Connection::insert) |
/// | `{clock_offset}` | offset of the clock in tests, for SQL functions that read the clock themselves |
#[derive(Clone)]
pub(crate) struct Dialect(Arc<Inner>);

struct Inner {
    kind: DatabaseKind,
    now: String,
    clock_offset: Milliseconds,
    /// Statements are literals, so address and length identify one.
    statements: RwLock<HashMap<(usize, usize), Arc<Statement>>>,
}

/// Translated statement.
pub(crate) struct Statement {
    pub(crate) text: Arc<str>,
    /// Names of the returned columns, set by the first execution.
    #[cfg(feature = "sqlite")]
    pub(super) columns: OnceLock<Arc<[String]>>,
}

impl Dialect {
    /// `clock_offset` shifts the clock, for tests.
    pub(crate) fn new(kind: DatabaseKind, clock_offset: Milliseconds) -> Self {
        let clock = match kind {
            #[cfg(feature = "sqlite")]
            DatabaseKind::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            #[cfg(feature = "postgres")]
            DatabaseKind::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        };
        let now = if clock_offset == 0 { clock.to_owned() } else { format!("({clock} + {clock_offset})") };
        Self(Arc::new(Inner { kind, now, clock_offset, statements: RwLock::default() }))
    }

    pub(crate) fn kind(&self) -> DatabaseKind {
        self.0.kind
    }

    /// Returns the translated statement. Only fixed text and the clock offset are inserted, never a value.
    pub(crate) fn translate(&self, statement: &'static str) -> Arc<Statement> {
        let identity = (statement.as_ptr().addr(), statement.len());
        if let Some(known) = self.0.statements.read().unwrap_or_else(PoisonError::into_inner).get(&identity) {
            return known.clone();
        }
        let text = statement.replace("{now}", &self.0.now).replace("{clock_offset}", &self.0.clock_offset.to_string());
        let text: Arc<str> = match self.0.kind {
            #[cfg(feature = "sqlite")]
            DatabaseKind::Sqlite => text
                .replace("{lock}", "")
                .replace("{skip_locked}", "")
                .replace("{returning id}", "")
                .replace("{any $1}", "IN (SELECT value FROM json_each($1))")
                .replace('$', "?"),
            #[cfg(feature = "postgres")]
            DatabaseKind::Postgres => text
                .replace("{lock}", "FOR UPDATE")
                .replace("{skip_locked}", "FOR UPDATE SKIP LOCKED")
                .replace("{returning id}", "RETURNING id")
                .replace("{any $1}", "= ANY($1)"),
        }
        .into();
        let statement = Arc::new(Statement {
            text,
            #[cfg(feature = "sqlite")]
            columns: OnceLock::new(),
        });
        let mut statements = self.0.statements.write().unwrap_or_else(PoisonError::into_inner);
        statements.insert(identity, statement.clone());
        statement
    }
}

#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_translated_for_each_database() {
        let statement = "SELECT id FROM t WHERE id {any $1} AND scheduled_at <= {now} - $2 {lock}";
        let sqlite = &Dialect::new(DatabaseKind::Sqlite, 0).translate(statement).text;
        assert_eq!(
            &**sqlite,
            "SELECT id FROM t WHERE id IN (SELECT value FROM json_each(?1)) \
             AND scheduled_at <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?2 "
        );
        let postgres = &Dialect::new(DatabaseKind::Postgres, 5).translate(statement).text;
        assert_eq!(
            &**postgres,
            "SELECT id FROM t WHERE id = ANY($1) \
             AND scheduled_at <= (CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + 5) - $2 FOR UPDATE"
        );
    }
}
