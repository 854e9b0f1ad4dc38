//! What can go wrong with the ledger itself.

use std::fmt;

use crate::seal::{KeyError, Unopenable};

/// Why the ledger could not be opened, read or written.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = maitre_ledger::Ledger::open("mysql://db").await.unwrap_err();
/// assert_eq!(error.to_string(), "the ledger's URL begins with neither sqlite: nor postgres:");
/// # }
/// ```
#[derive(Debug)]
pub struct LedgerError(What);

#[derive(Debug)]
enum What {
    Url,
    Feature(&'static str),
    NoKey,
    Key(KeyError),
    TooOld { found: i64, needed: i64 },
    TooNew { found: i64, known: i64 },
    Unopenable(Unopenable),
    Migration(sqlx::migrate::MigrateError),
    Database(sqlx::Error),
    Damaged(&'static str),
    Closed,
}

impl LedgerError {
    pub(crate) fn url() -> Self {
        Self(What::Url)
    }
    pub(crate) fn feature(name: &'static str) -> Self {
        Self(What::Feature(name))
    }
    pub(crate) fn no_key() -> Self {
        Self(What::NoKey)
    }
    pub(crate) fn too_old(found: i64, needed: i64) -> Self {
        Self(What::TooOld { found, needed })
    }
    pub(crate) fn too_new(found: i64, known: i64) -> Self {
        Self(What::TooNew { found, known })
    }
    pub(crate) fn damaged(what: &'static str) -> Self {
        Self(What::Damaged(what))
    }
    pub(crate) fn closed() -> Self {
        Self(What::Closed)
    }

    /// Whether the tables are older than this program: run [`Ledger::migrate`](crate::Ledger::migrate).
    #[must_use]
    pub fn is_schema_too_old(&self) -> bool {
        matches!(self.0, What::TooOld { .. })
    }

    /// Whether the tables are newer than this program: roll the newer program out.
    #[must_use]
    pub fn is_schema_too_new(&self) -> bool {
        matches!(self.0, What::TooNew { .. })
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            What::Url => f.write_str("the ledger's URL begins with neither sqlite: nor postgres:"),
            What::Feature(name) => write!(f, "maitre-ledger was built without the feature `{name}`: turn it on"),
            What::NoKey => f.write_str(
                "a ledger on Postgres needs MAITRE_KEY, 64 hex digits that are the same in every process: draw one with \
                 `openssl rand -hex 32`",
            ),
            What::Key(_) => f.write_str("the ledger has no key to seal secrets with"),
            What::TooOld { found, needed } => write!(
                f,
                "the ledger's tables are at version {found} and this program needs {needed}: run Ledger::migrate first"
            ),
            What::TooNew { found, known } => write!(
                f,
                "the ledger's tables are at version {found} and this program knows {known}: roll the newer program out"
            ),
            What::Unopenable(_) => f.write_str("a record cannot be opened"),
            What::Migration(_) => f.write_str("the ledger's tables cannot be migrated"),
            What::Database(_) => f.write_str("the ledger's database failed"),
            What::Damaged(what) => write!(f, "the ledger's records are damaged: {what}"),
            What::Closed => f.write_str("the ledger is closed"),
        }
    }
}

impl std::error::Error for LedgerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            What::Key(error) => Some(error),
            What::Unopenable(error) => Some(error),
            What::Migration(error) => Some(error),
            What::Database(error) => Some(error),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self(What::Database(error))
    }
}

impl From<sqlx::migrate::MigrateError> for LedgerError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self(What::Migration(error))
    }
}

impl From<KeyError> for LedgerError {
    fn from(error: KeyError) -> Self {
        Self(What::Key(error))
    }
}

impl From<Unopenable> for LedgerError {
    fn from(error: Unopenable) -> Self {
        Self(What::Unopenable(error))
    }
}
