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
#[allow(dead_code, reason = "which of them there are depends on the features")]
enum What {
    Url,
    Feature(&'static str),
    NoKey,
    Key(KeyError),
    TooOld {
        found: i64,
        needed: i64,
    },
    TooNew {
        found: i64,
        known: i64,
    },
    Unopenable(Unopenable),
    File,
    #[cfg(feature = "sqlite")]
    Sqlite(rusqlite::Error),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Error),
    Thread(std::io::Error),
    Damaged(&'static str),
    Closed,
}

#[allow(dead_code, reason = "which of them there are depends on the features")]
impl LedgerError {
    pub(crate) fn url() -> Self {
        Self(What::Url)
    }
    pub(crate) fn file() -> Self {
        Self(What::File)
    }
    pub(crate) fn thread(error: std::io::Error) -> Self {
        Self(What::Thread(error))
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
            What::File => {
                f.write_str("an embedded ledger is a file, as what is in memory dies with the process: sqlite://maitre.db")
            }
            #[cfg(feature = "sqlite")]
            What::Sqlite(_) => f.write_str("the ledger's database failed"),
            #[cfg(feature = "postgres")]
            What::Postgres(_) => f.write_str("the ledger's database failed"),
            What::Thread(_) => f.write_str("the ledger's database gets no thread"),
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
            #[cfg(feature = "sqlite")]
            What::Sqlite(error) => Some(error),
            #[cfg(feature = "postgres")]
            What::Postgres(error) => Some(error),
            What::Thread(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(feature = "sqlite")]
impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self(What::Sqlite(error))
    }
}

#[cfg(feature = "postgres")]
impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self(What::Postgres(error))
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
