//! SQLite backend: one writer thread, which commits queued commands in batches (group commit), and one reader thread.

mod cause;
mod health;
pub(super) mod statement;
mod thread;
mod transaction;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use percent_encoding::percent_decode_str;

pub(crate) use self::cause::cause;
use self::health::Health;
use self::thread::{DbThread, run_batch, run_each};
use self::transaction::{poll_once, transaction};
use super::command::Command;
use super::connection::Connection;
use super::dialect::Dialect;
use super::migrations;
use crate::error::LedgerError;

/// Time that a process waits for the write lock of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Prepared statements kept per connection; the engine has about sixty.
const CACHED_STATEMENTS: usize = 128;

/// Writer and reader thread. Callers reach them only through queues, so no lock is held longer than a batch takes.
pub(crate) struct Sqlite<X> {
    writer: DbThread<X>,
    reader: DbThread<X>,
}

impl<X: Send + Sync + 'static> Sqlite<X> {
    /// Starts both threads, if the tables have the version of this program.
    pub(super) async fn open(file: PathBuf, dialect: &Dialect, context: &Arc<X>) -> Result<Self, LedgerError> {
        let (dialect, context) = (dialect.clone(), context.clone());
        blocking(move || {
            let mut connection = connect(&file)?;
            poll_once(migrations::check(&mut Connection::sqlite(&mut connection, &dialect)))?;
            check_writable(&connection).map_err(LedgerError::sqlite)?;
            let mut reading = connect(&file)?;
            reading.pragma_update(None, "query_only", true).map_err(LedgerError::sqlite)?;
            let (mut health, of_reader) = (Health::of(file)?, dialect.clone());
            let writer = DbThread::start("maitre-writer", &context, move |batch| {
                run_batch(&mut connection, &dialect, &mut health, batch);
            })?;
            let reader = DbThread::start("maitre-reader", &context, move |batch| {
                run_each(&mut reading, &of_reader, batch);
            })?;
            Ok(Self { writer, reader })
        })
        .await
    }

    pub(super) async fn migrate(file: PathBuf, dialect: &Dialect) -> Result<(), LedgerError> {
        let dialect = dialect.clone();
        blocking(move || {
            let mut connection = connect(&file)?;
            poll_once(migrations::prepare(&mut Connection::sqlite(&mut connection, &dialect)))?;
            transaction(&mut connection, &dialect, |db| poll_once(migrations::run(db)))
        })
        .await
    }

    pub(super) async fn write<C: Command<X>>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        self.writer.run(command).await
    }

    pub(super) async fn read<C: Command<X>>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        self.reader.run(command).await
    }

    /// Runs the queued commands, then closes the file. Later commands fail because the ledger is closed.
    pub(super) async fn close(&self) {
        for thread in [&self.writer, &self.reader] {
            let ended = thread.stop();
            let _ = blocking(move || Ok(ended.map(JoinHandle::join))).await;
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| LedgerError::closed())?
}

fn connect(file: &Path) -> Result<rusqlite::Connection, LedgerError> {
    let connect = || {
        let connection = rusqlite::Connection::open(file)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;")?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        Ok(connection)
    };
    connect().map_err(LedgerError::sqlite)
}

/// Returns an error if the file can only be read. Another process that is writing does not matter.
fn check_writable(connection: &rusqlite::Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(Duration::ZERO)?;
    // only a statement that could write fails on a read-only file, not the begin of a transaction
    let written = connection.execute_batch("DELETE FROM maitre_migrations WHERE version < 0");
    connection.busy_timeout(BUSY_TIMEOUT)?;
    match written {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(()),
        written => written,
    }
}

/// Returns the file of a SQLite URL as `sqlx` writes them, so that the vendor's tables and the ledger's can share one URL.
pub(crate) fn file_of(url: &str) -> Result<PathBuf, LedgerError> {
    let path = url.strip_prefix("sqlite:").ok_or_else(LedgerError::url)?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or_default();
    let path = percent_decode_str(path).decode_utf8().map_err(|_| LedgerError::url())?;
    if path.is_empty() || path == ":memory:" || url.contains("mode=memory") {
        return Err(LedgerError::in_memory());
    }
    Ok(PathBuf::from(path.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_url_names_a_file() {
        for (url, file) in [
            ("sqlite://maitre.db", "maitre.db"),
            ("sqlite:maitre.db", "maitre.db"),
            ("sqlite:///var/lib/maitre.db?mode=rwc", "/var/lib/maitre.db"),
            ("sqlite://my%20data/maitre.db", "my data/maitre.db"),
        ] {
            assert_eq!(file_of(url).unwrap(), PathBuf::from(file), "{url}");
        }
        for url in ["sqlite::memory:", "sqlite://", "sqlite:", "sqlite://x?mode=memory", "sqlite://%ff"] {
            assert!(file_of(url).is_err(), "{url}");
        }
    }
}
