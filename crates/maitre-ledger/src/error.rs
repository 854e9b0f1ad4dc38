//! Errors of the ledger itself.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::keys::KeyError;

/// Error of opening, reading or writing the ledger.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = maitre_ledger::Ledger::open("mysql://db").await.unwrap_err();
/// assert_eq!(error.to_string(), "unsupported ledger URL: expected sqlite:// or postgres://");
/// # }
/// ```
#[derive(Debug)]
pub struct LedgerError(Kind);

#[derive(Debug)]
#[allow(dead_code, reason = "which of them can occur depends on the features")]
enum Kind {
    Url,
    Feature(&'static str),
    NotABool(&'static str),
    InMemory,
    TemporaryFolder(std::io::Error),
    NoFile(PathBuf),
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
    #[cfg(feature = "sqlite")]
    Sqlite(rusqlite::Error),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::Error),
    FileLost,
    Thread(std::io::Error),
    Decrypt(String),
    Corrupt(String),
    TimedOut(Duration),
    Closed,
}

#[allow(dead_code, reason = "which of them can occur depends on the features")]
impl LedgerError {
    pub(crate) fn url() -> Self {
        Self(Kind::Url)
    }
    pub(crate) fn not_a_bool(parameter: &'static str) -> Self {
        Self(Kind::NotABool(parameter))
    }
    pub(crate) fn in_memory() -> Self {
        Self(Kind::InMemory)
    }
    pub(crate) fn no_temporary_folder(error: std::io::Error) -> Self {
        Self(Kind::TemporaryFolder(error))
    }
    pub(crate) fn file_lost() -> Self {
        Self(Kind::FileLost)
    }
    pub(crate) fn no_file(path: PathBuf) -> Self {
        Self(Kind::NoFile(path))
    }
    pub(crate) fn thread(error: std::io::Error) -> Self {
        Self(Kind::Thread(error))
    }
    pub(crate) fn feature(name: &'static str) -> Self {
        Self(Kind::Feature(name))
    }
    pub(crate) fn no_key() -> Self {
        Self(Kind::NoKey)
    }
    pub(crate) fn too_old(found: i64, needed: i64) -> Self {
        Self(Kind::TooOld { found, needed })
    }
    pub(crate) fn too_new(found: i64, known: i64) -> Self {
        Self(Kind::TooNew { found, known })
    }
    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self(Kind::TimedOut(limit))
    }
    pub(crate) fn closed() -> Self {
        Self(Kind::Closed)
    }
    /// `what` names the value by its associated data, such as `reply of heroku/widgets 7b0c9c1e`.
    pub(crate) fn decrypt(what: &str) -> Self {
        Self(Kind::Decrypt(what.to_owned()))
    }
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self(Kind::Corrupt(what.into()))
    }
    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite(error: rusqlite::Error) -> Self {
        Self(Kind::Sqlite(error))
    }
    #[cfg(feature = "postgres")]
    pub(crate) fn postgres(error: sqlx::Error) -> Self {
        Self(Kind::Postgres(error))
    }

    /// Whether the database file or its disk is the cause.
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_failure_of_file(&self) -> bool {
        match &self.0 {
            Kind::FileLost => true,
            Kind::Sqlite(error) => crate::db::sqlite_cause(error).is_some(),
            _ => false,
        }
    }

    /// Whether the database connection can no longer be used for writing; another connection may be.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_connection_unusable(&self) -> bool {
        matches!(&self.0, Kind::Postgres(error) if crate::db::is_connection_unusable(error))
    }

    /// Whether the tables are older than this program: run [`Ledger::migrate`](crate::Ledger::migrate).
    #[must_use]
    pub fn is_schema_too_old(&self) -> bool {
        matches!(self.0, Kind::TooOld { .. })
    }

    /// Whether the tables are newer than this program: roll the newer program out.
    #[must_use]
    pub fn is_schema_too_new(&self) -> bool {
        matches!(self.0, Kind::TooNew { .. })
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Url => f.write_str("unsupported ledger URL: expected sqlite:// or postgres://"),
            Kind::Feature(name) => write!(f, "maitre-ledger was built without the feature `{name}`: enable it"),
            Kind::NotABool(parameter) => {
                write!(f, "the ledger URL's parameter `{parameter}` must be `true` or `false`")
            }
            Kind::InMemory => {
                f.write_str(
                    "in-memory SQLite is not supported: use a file, for example sqlite://maitre.db, or Ledger::in_memory() in \
                     a test",
                )
            }
            Kind::TemporaryFolder(_) => f.write_str("cannot create a temporary folder for a ledger in memory"),
            Kind::NoFile(path) => write!(f, "there is no database {}: check the URL", path.display()),
            Kind::NoKey => f.write_str(
                "a ledger on Postgres needs MAITRE_KEY: 64 hex digits, the same in every process; generate them with \
                 `openssl rand -hex 32`",
            ),
            Kind::Key(_) => f.write_str("the ledger has no encryption key"),
            Kind::TooOld { found, needed } => write!(
                f,
                "the ledger's tables are at version {found} and this program needs {needed}: run Ledger::migrate first"
            ),
            Kind::TooNew { found, known } => write!(
                f,
                "the ledger's tables are at version {found} and this program knows {known}: roll the newer program out"
            ),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(error) => match crate::db::sqlite_cause(error) {
                Some(cause) => write!(f, "the ledger's database failed: {cause}"),
                None => f.write_str("the ledger's database failed"),
            },
            #[cfg(feature = "postgres")]
            Kind::Postgres(error) => match crate::db::postgres_cause(error) {
                Some(cause) => write!(f, "the ledger's database failed: {cause}"),
                None => f.write_str("the ledger's database failed"),
            },
            Kind::FileLost => f.write_str(
                "the ledger's database file was deleted or replaced: move it back, or restart to use the new file",
            ),
            Kind::Thread(_) => f.write_str("cannot start the database thread"),
            Kind::Decrypt(what) => write!(f, "cannot decrypt {what}: is its key still in MAITRE_KEY?"),
            Kind::Corrupt(what) => write!(f, "unexpected data in the ledger: {what}"),
            Kind::TimedOut(limit) => write!(f, "the ledger's database did not respond within {limit:?}"),
            Kind::Closed => f.write_str("the ledger is closed"),
        }
    }
}

impl std::error::Error for LedgerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Kind::Key(error) => Some(error),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(error) => Some(error),
            #[cfg(feature = "postgres")]
            Kind::Postgres(error) => Some(error),
            Kind::Thread(error) | Kind::TemporaryFolder(error) => Some(error),
            _ => None,
        }
    }
}

impl From<KeyError> for LedgerError {
    fn from(error: KeyError) -> Self {
        Self(Kind::Key(error))
    }
}
