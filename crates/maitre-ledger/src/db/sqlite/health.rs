//! Whether the database file can be written, and that an operator learns if not.

use std::fs::Metadata;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::error::LedgerError;

/// Interval of the log lines while the file cannot be written.
const LOG_INTERVAL: Duration = Duration::from_secs(30);

/// State of the file.
///
/// `SQLite` continues to write to a file that was deleted or replaced: all answers would be lost at the next start.
pub(super) struct Health {
    path: PathBuf,
    opened: Identity,
    is_read_only: bool,
    /// Time of the last log line about a failure; `None` while the file can be written.
    logged: Option<Instant>,
}

impl Health {
    /// Returns the state of a file that was just opened.
    pub(super) fn of(path: PathBuf) -> Result<Self, LedgerError> {
        let metadata = path.metadata().map_err(|_| LedgerError::file_lost())?;
        let is_read_only = metadata.permissions().readonly();
        Ok(Self { path, opened: identity(&metadata), is_read_only, logged: None })
    }

    /// Checks that the file is the one that was opened.
    pub(super) fn check(&mut self) -> Result<(), LedgerError> {
        let metadata = self.path.metadata().ok().filter(|metadata| identity(metadata) == self.opened);
        let metadata = metadata.ok_or_else(LedgerError::file_lost)?;
        let was_read_only = std::mem::replace(&mut self.is_read_only, metadata.permissions().readonly());
        if self.is_read_only && !was_read_only {
            tracing::error!(file = ?self.path, "the ledger's database file has become read-only: the next start will fail");
        }
        Ok(())
    }

    /// Logs a failure of the file, and its end.
    pub(super) fn record(&mut self, written: Result<(), &LedgerError>) {
        match written {
            Ok(()) => {
                if self.logged.take().is_some() {
                    tracing::info!(file = ?self.path, "the ledger's database can be written again");
                }
            }
            Err(error) if error.is_failure_of_file() => {
                if self.logged.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
                    self.logged = Some(Instant::now());
                    tracing::error!(file = ?self.path, "{error}");
                }
            }
            Err(_) => {}
        }
    }
}

#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {}
