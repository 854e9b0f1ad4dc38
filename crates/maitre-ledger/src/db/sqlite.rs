//! An embedded database: one thread holds the pen, and writes down together what came together.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rusqlite::ToSql;
use rusqlite::types::{Null, ToSqlOutput, Value as Stored, ValueRef};
use tokio::sync::{mpsc, oneshot};

use super::words::Statement;
use super::{Command, Connection, Value, Words, migrations};
use crate::engine::Engine;
use crate::error::LedgerError;

/// More than this do not share one commit: what fails is done again one by one.
const LARGEST_BATCH: usize = 256;

/// How long a process waits for another that holds the database's only pen.
const PATIENCE: Duration = Duration::from_secs(10);

/// The statements that a connection keeps prepared; the engine has about sixty.
const STATEMENTS: usize = 128;

/// A thread that writes and one that reads. In between there are only queues, so no lock is held for longer than a
/// batch takes.
pub(crate) struct Sqlite {
    writer: Desk,
    reader: Desk,
}

impl Sqlite {
    /// Both threads, if the tables are of this program's version.
    pub(super) async fn open(file: PathBuf, words: &Words, engine: &Arc<Engine>) -> Result<Self, LedgerError> {
        let (words, engine) = (words.clone(), engine.clone());
        blocking(move || {
            let mut connection = connect(&file)?;
            at_once(migrations::check(&mut Connection::sqlite(&mut connection, &words)))?;
            let writer = Desk::open("maitre-writer", connection, &words, &engine, together)?;
            let connection = connect(&file)?;
            connection.pragma_update(None, "query_only", true)?;
            let reader = Desk::open("maitre-reader", connection, &words, &engine, one_by_one)?;
            Ok(Self { writer, reader })
        })
        .await
    }

    pub(super) async fn migrate(file: PathBuf, words: &Words) -> Result<(), LedgerError> {
        let words = words.clone();
        blocking(move || {
            let mut connection = connect(&file)?;
            at_once(migrations::prepare(&mut Connection::sqlite(&mut connection, &words)))?;
            transaction(&mut connection, &words, |on| at_once(migrations::run(on)))
        })
        .await
    }

    pub(super) async fn write<C: Command>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        self.writer.ask(command).await
    }

    pub(super) async fn read<C: Command>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        self.reader.ask(command).await
    }

    /// Does what was asked for, then lets the file go; whoever asks afterwards hears that the ledger is closed.
    pub(super) async fn close(&self) {
        for desk in [&self.writer, &self.reader] {
            let ended = desk.leave();
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
    let connection = rusqlite::Connection::open(file)?;
    connection.busy_timeout(PATIENCE)?;
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// A thread with a connection, and the queue before it.
struct Desk {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    engine: Arc<Engine>,
}

type Serve = fn(&mut rusqlite::Connection, &Words, &mut Vec<Box<dyn Job>>);

impl Desk {
    fn open(
        name: &str,
        mut connection: rusqlite::Connection,
        words: &Words,
        engine: &Arc<Engine>,
        serve: Serve,
    ) -> Result<Self, LedgerError> {
        let (queue, mut waiting) = mpsc::channel(4 * LARGEST_BATCH);
        let words = words.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut batch = Vec::with_capacity(LARGEST_BATCH);
            while waiting.blocking_recv_many(&mut batch, LARGEST_BATCH) > 0 {
                serve(&mut connection, &words, &mut batch);
            }
        });
        let thread = thread.map_err(LedgerError::thread)?;
        Ok(Self { queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)), engine: engine.clone() })
    }

    async fn ask<C: Command>(&self, command: C) -> Result<C::Outcome, LedgerError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (answer, answered) = oneshot::channel();
        let asked = Box::new(Asked { engine: self.engine.clone(), command, outcome: None, answer });
        queue.ok_or_else(LedgerError::closed)?.send(asked).await.map_err(|_| LedgerError::closed())?;
        answered.await.map_err(|_| LedgerError::closed())?
    }

    fn leave(&self) -> Option<JoinHandle<()>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.thread.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A command of any kind, with the one who waits for its outcome.
trait Job: Send {
    fn run(&mut self, on: &mut Connection<'_>) -> Result<(), LedgerError>;
    fn answer(self: Box<Self>, result: Result<(), LedgerError>);
}

struct Asked<C: Command> {
    engine: Arc<Engine>,
    command: C,
    outcome: Option<C::Outcome>,
    answer: oneshot::Sender<Result<C::Outcome, LedgerError>>,
}

impl<C: Command> Job for Asked<C> {
    fn run(&mut self, on: &mut Connection<'_>) -> Result<(), LedgerError> {
        self.outcome = Some(at_once(self.command.apply(&self.engine, on))?);
        Ok(())
    }

    fn answer(self: Box<Self>, result: Result<(), LedgerError>) {
        let Self { command, outcome, answer, .. } = *self;
        drop(command); // what it shares with the one who asked is that one's now
        let result = result.and_then(|()| outcome.ok_or_else(LedgerError::closed));
        let _ = answer.send(result); // whoever asked may have gone
    }
}

/// All in one transaction, which is one wait for the disk. If one of them spoils it, each gets its own.
fn together(connection: &mut rusqlite::Connection, words: &Words, batch: &mut Vec<Box<dyn Job>>) {
    let [_, _, ..] = &batch[..] else { return alone(connection, words, batch) };
    match transaction(connection, words, |on| batch.iter_mut().try_for_each(|job| job.run(on))) {
        Ok(()) => batch.drain(..).for_each(|job| job.answer(Ok(()))),
        Err(_) => alone(connection, words, batch),
    }
}

fn alone(connection: &mut rusqlite::Connection, words: &Words, batch: &mut Vec<Box<dyn Job>>) {
    for mut job in batch.drain(..) {
        let result = transaction(connection, words, |on| job.run(on));
        job.answer(result);
    }
}

/// All of the work, or nothing of it.
fn transaction(
    connection: &mut rusqlite::Connection,
    words: &Words,
    work: impl FnOnce(&mut Connection<'_>) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let worked = work(&mut Connection::sqlite(connection, words));
    let done = worked.and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    if done.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    done
}

fn one_by_one(connection: &mut rusqlite::Connection, words: &Words, batch: &mut Vec<Box<dyn Job>>) {
    for mut job in batch.drain(..) {
        let result = job.run(&mut Connection::sqlite(connection, words));
        job.answer(result);
    }
}

/// What never waits is done when it is looked at once.
fn at_once<T>(work: impl Future<Output = Result<T, LedgerError>>) -> Result<T, LedgerError> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(LedgerError::damaged("a statement of an embedded database that waits")),
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Number(number) | Self::MaybeNumber(Some(number)) => number.into(),
            // read by `json_each`
            Self::Numbers(numbers) => serde_json::to_string(numbers).unwrap_or_default().into(),
            Self::Text(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(Some(bytes)) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::MaybeNumber(None) | Self::Text(None) | Self::Bytes(None) => Null.into(),
            #[cfg(feature = "postgres")]
            Self::Texts(_) | Self::ManyBytes(_) => return Err(rusqlite::Error::InvalidQuery), // it has no arrays
        })
    }
}

/// A row that was read whole, as its statement goes back to the cache.
pub(crate) struct Row {
    names: Arc<[String]>,
    values: Vec<Stored>,
}

impl Row {
    fn get(&self, column: &str) -> Result<&Stored, LedgerError> {
        let place = self.names.iter().position(|name| name == column);
        place.and_then(|place| self.values.get(place)).ok_or(LedgerError::damaged("a column that is not there"))
    }

    pub(super) fn text(&self, column: &str) -> Result<Option<String>, LedgerError> {
        match self.get(column)? {
            Stored::Text(text) => Ok(Some(text.clone())),
            Stored::Null => Ok(None),
            _ => Err(LedgerError::damaged("something else in the place of a text")),
        }
    }

    pub(super) fn number(&self, column: &str) -> Result<Option<i64>, LedgerError> {
        match self.get(column)? {
            Stored::Integer(number) => Ok(Some(*number)),
            Stored::Null => Ok(None),
            _ => Err(LedgerError::damaged("something else in the place of a number")),
        }
    }

    pub(super) fn bytes(&self, column: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        match self.get(column)? {
            Stored::Blob(bytes) => Ok(Some(bytes.clone())),
            Stored::Null => Ok(None),
            _ => Err(LedgerError::damaged("something else in the place of bytes")),
        }
    }
}

pub(super) fn rows(
    on: &rusqlite::Connection,
    statement: &Statement,
    values: &[Value<'_>],
) -> Result<Vec<super::Row>, rusqlite::Error> {
    let mut prepared = on.prepare_cached(&statement.text)?;
    let mut found = prepared.query(rusqlite::params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let names = || row.as_ref().column_names().into_iter().map(ToOwned::to_owned).collect();
        let names = statement.columns.get_or_init(names);
        let values = (0..names.len()).map(|place| row.get(place)).collect::<Result<_, _>>()?;
        rows.push(super::Row::Sqlite(Row { names: names.clone(), values }));
    }
    Ok(rows)
}

pub(super) fn run(on: &rusqlite::Connection, text: &str, values: &[Value<'_>]) -> Result<u64, rusqlite::Error> {
    let changed = on.prepare_cached(text)?.execute(rusqlite::params_from_iter(values))?;
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

/// The file of an embedded database, its URL written as `sqlx` reads it, so that one URL can name the vendor's tables and ours.
pub(crate) fn file_of(url: &str) -> Result<PathBuf, LedgerError> {
    let path = url.strip_prefix("sqlite:").ok_or_else(LedgerError::url)?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or_default();
    let path = percent_decode_str(path).decode_utf8().map_err(|_| LedgerError::file())?;
    if path.is_empty() || path == ":memory:" || url.contains("mode=memory") {
        return Err(LedgerError::file());
    }
    Ok(PathBuf::from(path.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedded_ledger_is_a_file() {
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
