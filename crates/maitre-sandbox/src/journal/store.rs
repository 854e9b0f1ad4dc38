//! Where the journal and, if there is a file, the marketplace's memory are kept.
//!
//! Without a file it is a private temporary database of SQLite's, which stands in memory as long as it is small, and
//! whose pages nobody else can open.

use std::{
    collections::{BTreeMap, HashMap, hash_map::DefaultHasher},
    fs::OpenOptions,
    hash::{Hash as _, Hasher as _},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::entry::{Entry, Head, Message};
use crate::SetupError;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS entries (
        id INTEGER PRIMARY KEY,
        uuid TEXT,
        bad INTEGER NOT NULL,
        head TEXT NOT NULL,
        request_headers TEXT,
        request_body BLOB,
        answer_headers TEXT,
        answer_body BLOB
    );
    CREATE INDEX IF NOT EXISTS entries_of_an_install ON entries (uuid, id);
    CREATE INDEX IF NOT EXISTS bad_entries ON entries (id) WHERE bad;
    CREATE TABLE IF NOT EXISTS memory (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

/// Old entries are taken out so many at a time.
const SWEEP: i64 = 1_000;

pub(crate) struct Store {
    connection: Mutex<Connection>,
    /// How many entries are kept.
    kept: i64,
    is_file: bool,
    /// What stands in the file's memory, by key: hashes of the values.
    written: Mutex<HashMap<String, u64>>,
}

/// Which entries are meant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Of this install alone.
    pub(crate) uuid: Option<String>,
    /// Only those with something to look at.
    pub(crate) bad: bool,
    /// Older than this one.
    pub(crate) before: Option<i64>,
}

impl Store {
    pub(crate) fn open(file: Option<&Path>, kept: usize) -> Result<Self, SetupError> {
        let shown = file.map_or_else(|| "a temporary file".to_owned(), |file| file.display().to_string());
        let connection = connect(file)
            .map_err(|cause| SetupError::with_source(format!("cannot keep a journal in {shown}"), cause))?;
        let kept = i64::try_from(kept.max(1)).unwrap_or(i64::MAX);
        let store =
            Self { connection: Mutex::new(connection), kept, is_file: file.is_some(), written: Mutex::default() };
        store.fail_pending();
        Ok(store)
    }

    /// What had no answer when the process ended will have none.
    fn fail_pending(&self) {
        let left = "SELECT id, head FROM entries WHERE json_extract(head, '$.ended') = 0";
        let left: Vec<(i64, String)> = self.select(left, &[], |row| Some((row.get(0).ok()?, row.get(1).ok()?)));
        for (id, text) in left {
            if let Ok(head) = serde_json::from_str(&text) {
                self.update(id, &Head { ended: true, ..head }, None);
            }
        }
    }

    pub(crate) fn insert(&self, head: &Head, request: Option<&Message>) -> i64 {
        let connection = self.connection();
        let (headers, body) = columns(request);
        let insert = "INSERT INTO entries (uuid, bad, head, request_headers, request_body) VALUES (?1, ?2, ?3, ?4, ?5)";
        let done = connection
            .prepare_cached(insert)
            .and_then(|mut insert| insert.insert(params![head.uuid, head.is_bad(), text(head), headers, body]));
        let id = done.unwrap_or_default();
        if id % SWEEP == 0 {
            let oldest = id.saturating_sub(self.kept);
            ignore(connection.execute("DELETE FROM entries WHERE id <= ?1", [oldest]));
        }
        id
    }

    pub(crate) fn update(&self, id: i64, head: &Head, answer: Option<&Message>) {
        let (headers, body) = columns(answer);
        let update =
            "UPDATE entries SET uuid = ?2, bad = ?3, head = ?4, answer_headers = ?5, answer_body = ?6 WHERE id = ?1";
        let values = params![id, head.uuid, head.is_bad(), text(head), headers, body];
        ignore(self.connection().prepare_cached(update).and_then(|mut update| update.execute(values)));
    }

    pub(crate) fn head(&self, id: i64) -> Option<Head> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT head FROM entries WHERE id = ?1").ok()?;
        let text: String = select.query_row([id], |row| row.get(0)).optional().ok()??;
        serde_json::from_str(&text).ok()
    }

    pub(crate) fn get(&self, id: i64) -> Option<Entry> {
        let select = "SELECT id, head, request_headers, request_body, answer_headers, answer_body
                      FROM entries WHERE id = ?1";
        let connection = self.connection();
        let mut select = connection.prepare_cached(select).ok()?;
        select.query_row([id], |row| Ok(entry(row))).optional().ok()??
    }

    /// The newest `limit` entries that are meant, the newest first.
    pub(crate) fn page(&self, filter: &Filter, limit: usize) -> Vec<(i64, Head)> {
        let mut wanted = String::from("SELECT id, head FROM entries WHERE id < ?1");
        let before = filter.before.unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut values: Vec<&dyn ToSql> = vec![&before, &limit];
        if let Some(uuid) = &filter.uuid {
            wanted += " AND uuid = ?3";
            values.push(uuid);
        }
        if filter.bad {
            wanted += " AND bad";
        }
        wanted += " ORDER BY id DESC LIMIT ?2";
        self.select(&wanted, &values, |row| {
            let text: String = row.get(1).ok()?;
            Some((row.get(0).ok()?, serde_json::from_str(&text).ok()?))
        })
    }

    /// The next `limit` entries behind `after` that are meant, the oldest first, with all that stands behind them.
    pub(crate) fn next(&self, after: i64, uuid: Option<&str>, limit: usize) -> Vec<Entry> {
        let select = "SELECT id, head, request_headers, request_body, answer_headers, answer_body FROM entries
                      WHERE id > ?1 AND (?2 IS NULL OR uuid = ?2) ORDER BY id LIMIT ?3";
        self.select(select, &[&after, &uuid, &i64::try_from(limit).unwrap_or(i64::MAX)], entry)
    }

    /// How many entries there are.
    #[cfg(test)]
    fn count(&self) -> usize {
        let counted = self.connection().query_row("SELECT count(*) FROM entries", [], |row| row.get::<_, i64>(0));
        usize::try_from(counted.unwrap_or_default()).unwrap_or_default()
    }

    /// What the marketplace knew when it was last written down.
    pub(crate) fn memory(&self) -> BTreeMap<String, String> {
        let rows: Vec<(String, String)> =
            self.select("SELECT key, value FROM memory", &[], |row| Some((row.get(0).ok()?, row.get(1).ok()?)));
        *self.written() = rows.iter().map(|(key, value)| (key.clone(), hash(value))).collect();
        rows.into_iter().collect()
    }

    /// Writes down what changed of what the marketplace knows, if there is a file.
    pub(crate) fn remember(&self, memory: &BTreeMap<String, String>) -> rusqlite::Result<()> {
        if !self.is_file {
            return Ok(());
        }
        let mut written = self.written();
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let put = "INSERT INTO memory (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
        for (key, value) in memory.iter().filter(|(key, value)| written.get(*key) != Some(&hash(value))) {
            transaction.prepare_cached(put)?.execute([key, value])?;
        }
        for key in written.keys().filter(|key| !memory.contains_key(*key)) {
            transaction.prepare_cached("DELETE FROM memory WHERE key = ?1")?.execute([key])?;
        }
        transaction.commit()?;
        *written = memory.iter().map(|(key, value)| (key.clone(), hash(value))).collect();
        Ok(())
    }

    pub(crate) fn is_file(&self) -> bool {
        self.is_file
    }

    fn select<T>(&self, select: &str, values: &[&dyn ToSql], read: impl Fn(&Row<'_>) -> Option<T>) -> Vec<T> {
        let connection = self.connection();
        let Ok(mut select) = connection.prepare_cached(select) else { return Vec::new() };
        let Ok(rows) = select.query_map(values, |row| Ok(read(row))) else { return Vec::new() };
        rows.flatten().flatten().collect()
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn written(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(file: Option<&Path>) -> Result<Connection, Box<dyn std::error::Error + Send + Sync>> {
    let connection = match file {
        None => Connection::open("")?,
        Some(file) => {
            private(file)?;
            let connection = Connection::open(file)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection
        }
    };
    // what a power cut takes away can be ordered again
    connection.pragma_update(None, "synchronous", if file.is_some() { "NORMAL" } else { "OFF" })?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// Makes the file if it is not there, for its owner's eyes alone: it holds tokens and config vars.
fn private(file: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}

fn entry(row: &Row<'_>) -> Option<Entry> {
    let text: String = row.get(1).ok()?;
    let message = |at: usize| -> Option<Message> {
        let headers: Option<String> = row.get(at).ok()?;
        Some(Message { headers: serde_json::from_str(&headers?).ok()?, body: row.get(at + 1).ok()? })
    };
    Some(Entry {
        id: row.get(0).ok()?,
        head: serde_json::from_str(&text).ok()?,
        request: message(2).unwrap_or_default(),
        answer: message(4),
    })
}

fn columns(message: Option<&Message>) -> (Option<String>, Option<&[u8]>) {
    let headers = message.and_then(|message| serde_json::to_string(&message.headers).ok());
    (headers, message.map(|message| message.body.as_slice()))
}

fn text(head: &Head) -> String {
    serde_json::to_string(head).unwrap_or_default()
}

/// A journal that cannot be written, on a full disk, is no reason to stop playing the marketplace.
fn ignore<T>(done: rusqlite::Result<T>) {
    drop(done);
}

fn hash(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Direction, Finding, Kind};
    use super::*;
    use time::OffsetDateTime;

    fn head(uuid: &str) -> Head {
        let at = OffsetDateTime::UNIX_EPOCH;
        Head { uuid: Some(uuid.to_owned()), ..Head::new(at, Direction::ToAddon, Kind::Provision, "Provision") }
    }

    fn ids(page: &[(i64, Head)]) -> Vec<i64> {
        page.iter().map(|(id, _)| *id).collect()
    }

    #[test]
    fn pages_go_back_from_the_newest_by_install_and_by_trouble() {
        let store = Store::open(None, 100).unwrap();
        for number in 1..=6 {
            let mut head = head(if number % 2 == 0 { "even" } else { "odd" });
            if number == 4 {
                head.findings.push(Finding::new("heroku.provision.id", "It has no id."));
            }
            store.insert(&head, Some(&Message::default()));
        }
        assert_eq!(ids(&store.page(&Filter::default(), 2)), [6, 5]);
        assert_eq!(ids(&store.page(&Filter { before: Some(5), ..Filter::default() }, 2)), [4, 3]);
        assert_eq!(ids(&store.page(&Filter { uuid: Some("odd".into()), ..Filter::default() }, 9)), [5, 3, 1]);
        assert_eq!(ids(&store.page(&Filter { bad: true, ..Filter::default() }, 9)), [4]);
        assert_eq!(store.next(2, Some("even"), 9).iter().map(|entry| entry.id).collect::<Vec<_>>(), [4, 6]);
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let store = Store::open(None, 500).unwrap();
        for _ in 0..2_000 {
            store.insert(&head("7"), None);
        }
        assert_eq!(store.count(), 500);
        assert_eq!(ids(&store.page(&Filter::default(), 1)), [2_000]);
    }

    #[test]
    fn what_came_and_what_went_is_read_as_it_was() {
        let store = Store::open(None, 100).unwrap();
        let sent = Message { headers: vec![("accept".into(), "*/*".into())], body: b"\xffraw".to_vec() };
        let id = store.insert(&head("7"), Some(&sent));
        assert_eq!(store.get(id).unwrap().answer, None);
        let got = Message { headers: vec![], body: b"{}".to_vec() };
        store.update(id, &head("8"), Some(&got));
        let entry = store.get(id).unwrap();
        assert_eq!((entry.request, entry.answer, entry.head.uuid.as_deref()), (sent, Some(got), Some("8")));
        assert!(store.get(99).is_none());
    }
}
