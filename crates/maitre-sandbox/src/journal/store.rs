//! SQLite store of the journal and of the marketplace's state.
//!
//! Without a state file this is a temporary database of SQLite's: private to the process, and in memory while it is small.

use std::{
    collections::{BTreeMap, HashMap, hash_map::DefaultHasher},
    fs::OpenOptions,
    hash::{Hash as _, Hasher as _},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::filter::Filter;
use crate::{
    SetupError,
    entry::{Entry, Head, Message},
};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS entries (
        id INTEGER PRIMARY KEY,
        uuid TEXT,
        has_problem INTEGER NOT NULL,
        head TEXT NOT NULL,
        request_headers TEXT,
        request_body BLOB,
        response_headers TEXT,
        response_body BLOB
    );
    CREATE INDEX IF NOT EXISTS entries_by_uuid ON entries (uuid, id);
    CREATE INDEX IF NOT EXISTS entries_with_problems ON entries (id) WHERE has_problem;
    CREATE INDEX IF NOT EXISTS entries_by_kind ON entries (json_extract(head, '$.kind'), id);
    CREATE INDEX IF NOT EXISTS entries_by_direction ON entries (json_extract(head, '$.direction'), id);
    CREATE INDEX IF NOT EXISTS entries_by_status ON entries (json_extract(head, '$.status') / 100, id);
    CREATE INDEX IF NOT EXISTS entries_by_operation ON entries (json_extract(head, '$.operation'), id);
    CREATE INDEX IF NOT EXISTS entries_with_faults ON entries (id) WHERE json_extract(head, '$.fault') IS NOT NULL;
    CREATE INDEX IF NOT EXISTS replayed_differently ON entries (id) WHERE json_extract(head, '$.replay.differs');
    CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

/// Number of inserts between deletions of old entries.
const SWEEP_INTERVAL: i64 = 1_000;

pub(crate) struct Store {
    connection: Mutex<Connection>,
    /// Maximum number of entries.
    limit: i64,
    is_file: bool,
    /// Hashes of the state values in the file, by key.
    saved: Mutex<HashMap<String, u64>>,
}

impl Store {
    pub(crate) fn open(file: Option<&Path>, limit: usize) -> Result<Self, SetupError> {
        let path = file.map_or_else(|| "a temporary file".to_owned(), |file| file.display().to_string());
        let connection = connect(file)
            .map_err(|error| SetupError::with_source(format!("cannot keep the journal in {path}"), error))?;
        let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        let store =
            Self { connection: Mutex::new(connection), limit, is_file: file.is_some(), saved: Mutex::default() };
        store.fail_pending();
        Ok(store)
    }

    /// Completes the calls that were pending when the last process stopped: their responses are lost.
    fn fail_pending(&self) {
        let select = "SELECT id, head FROM entries WHERE json_extract(head, '$.completed') = 0";
        let pending: Vec<(i64, String)> = self.select(select, &[], |row| Some((row.get(0).ok()?, row.get(1).ok()?)));
        for (id, text) in pending {
            if let Ok(head) = serde_json::from_str(&text) {
                self.update(id, &Head { completed: true, ..head }, None);
            }
        }
    }

    pub(crate) fn insert(&self, head: &Head, request: Option<&Message>) -> i64 {
        let connection = self.connection();
        let (headers, body) = columns(request);
        let insert =
            "INSERT INTO entries (uuid, has_problem, head, request_headers, request_body) VALUES (?1, ?2, ?3, ?4, ?5)";
        let inserted = connection
            .prepare_cached(insert)
            .and_then(|mut insert| insert.insert(params![head.uuid, head.has_problem(), text(head), headers, body]));
        let id = inserted.unwrap_or_default();
        if id % SWEEP_INTERVAL == 0 {
            let newest_deleted = id.saturating_sub(self.limit);
            ignore(connection.execute("DELETE FROM entries WHERE id <= ?1", [newest_deleted]));
        }
        id
    }

    pub(crate) fn update(&self, id: i64, head: &Head, response: Option<&Message>) {
        let (headers, body) = columns(response);
        let update =
            "UPDATE entries SET uuid = ?2, has_problem = ?3, head = ?4, response_headers = ?5, response_body = ?6
                      WHERE id = ?1";
        let values = params![id, head.uuid, head.has_problem(), text(head), headers, body];
        ignore(self.connection().prepare_cached(update).and_then(|mut update| update.execute(values)));
    }

    pub(crate) fn head(&self, id: i64) -> Option<Head> {
        let connection = self.connection();
        let mut select = connection.prepare_cached("SELECT head FROM entries WHERE id = ?1").ok()?;
        let text: String = select.query_row([id], |row| row.get(0)).optional().ok()??;
        serde_json::from_str(&text).ok()
    }

    pub(crate) fn get(&self, id: i64) -> Option<Entry> {
        let select = "SELECT id, head, request_headers, request_body, response_headers, response_body
                      FROM entries WHERE id = ?1";
        let connection = self.connection();
        let mut select = connection.prepare_cached(select).ok()?;
        select.query_row([id], |row| Ok(entry(row))).optional().ok()??
    }

    /// Returns at most `limit` entries that match the filter, newest first.
    pub(crate) fn page(&self, filter: &Filter, limit: usize) -> Vec<(i64, Head)> {
        let mut query = filter.query();
        query.values.push(Box::new(i64::try_from(limit).unwrap_or(i64::MAX)));
        let select = format!(
            "SELECT id, head FROM entries WHERE {} ORDER BY id DESC LIMIT ?{}",
            query.condition,
            query.values.len()
        );
        let values: Vec<&dyn ToSql> = query.values.iter().map(|value| &**value).collect();
        self.select(&select, &values, |row| {
            let text: String = row.get(1).ok()?;
            Some((row.get(0).ok()?, serde_json::from_str(&text).ok()?))
        })
    }

    /// Whether an entry matches the filter.
    pub(crate) fn contains(&self, filter: &Filter) -> bool {
        !self.page(filter, 1).is_empty()
    }

    /// Deletes the entries before this one.
    pub(crate) fn delete_before(&self, id: i64) {
        ignore(self.connection().execute("DELETE FROM entries WHERE id < ?1", [id]));
    }

    /// Returns at most `limit` entries after `after`, of one resource or of all, oldest first.
    pub(crate) fn next(&self, after: i64, uuid: Option<&str>, limit: usize) -> Vec<Entry> {
        let select = "SELECT id, head, request_headers, request_body, response_headers, response_body FROM entries
                      WHERE id > ?1 AND (?2 IS NULL OR uuid = ?2) ORDER BY id LIMIT ?3";
        self.select(select, &[&after, &uuid, &i64::try_from(limit).unwrap_or(i64::MAX)], entry)
    }

    #[cfg(test)]
    fn count(&self) -> usize {
        let counted = self.connection().query_row("SELECT count(*) FROM entries", [], |row| row.get::<_, i64>(0));
        usize::try_from(counted.unwrap_or_default()).unwrap_or_default()
    }

    /// Returns the saved state of the marketplace.
    pub(crate) fn load_state(&self) -> BTreeMap<String, String> {
        let rows: Vec<(String, String)> =
            self.select("SELECT key, value FROM state", &[], |row| Some((row.get(0).ok()?, row.get(1).ok()?)));
        *self.saved() = rows.iter().map(|(key, value)| (key.clone(), hash(value))).collect();
        rows.into_iter().collect()
    }

    /// Saves what changed in the state of the marketplace, if there is a state file.
    pub(crate) fn save_state(&self, state: &BTreeMap<String, String>) -> rusqlite::Result<()> {
        if !self.is_file {
            return Ok(());
        }
        let mut saved = self.saved();
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let upsert = "INSERT INTO state (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value";
        for (key, value) in state.iter().filter(|(key, value)| saved.get(*key) != Some(&hash(value))) {
            transaction.prepare_cached(upsert)?.execute([key, value])?;
        }
        for key in saved.keys().filter(|key| !state.contains_key(*key)) {
            transaction.prepare_cached("DELETE FROM state WHERE key = ?1")?.execute([key])?;
        }
        transaction.commit()?;
        *saved = state.iter().map(|(key, value)| (key.clone(), hash(value))).collect();
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

    fn saved(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(file: Option<&Path>) -> Result<Connection, Box<dyn std::error::Error + Send + Sync>> {
    let connection = match file {
        None => Connection::open("")?,
        Some(file) => {
            create_private(file)?;
            let connection = Connection::open(file)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection
        }
    };
    // losing the last entries in a power failure is acceptable
    connection.pragma_update(None, "synchronous", if file.is_some() { "NORMAL" } else { "OFF" })?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.execute_batch(SCHEMA)?;
    Ok(connection)
}

/// Creates the file, readable only by its owner, if it does not exist: it contains tokens and config vars.
fn create_private(file: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}

fn entry(row: &Row<'_>) -> Option<Entry> {
    let text: String = row.get(1).ok()?;
    let message = |column: usize| -> Option<Message> {
        let headers: Option<String> = row.get(column).ok()?;
        Some(Message { headers: serde_json::from_str(&headers?).ok()?, body: row.get(column + 1).ok()? })
    };
    Some(Entry {
        id: row.get(0).ok()?,
        head: serde_json::from_str(&text).ok()?,
        request: message(2).unwrap_or_default(),
        response: message(4),
    })
}

fn columns(message: Option<&Message>) -> (Option<String>, Option<&[u8]>) {
    let headers = message.and_then(|message| serde_json::to_string(&message.headers).ok());
    (headers, message.map(|message| message.body.as_slice()))
}

fn text(head: &Head) -> String {
    serde_json::to_string(head).unwrap_or_default()
}

/// Ignores an error: the sandbox keeps working without its journal, for example on a full disk.
fn ignore<T>(result: rusqlite::Result<T>) {
    drop(result);
}

fn hash(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Direction, Finding, Kind};
    use time::OffsetDateTime;

    fn head(uuid: &str) -> Head {
        let at = OffsetDateTime::UNIX_EPOCH;
        Head { uuid: Some(uuid.to_owned()), ..Head::new(at, Direction::ToAddon, Kind::Provision, "Provision") }
    }

    fn ids(page: &[(i64, Head)]) -> Vec<i64> {
        page.iter().map(|(id, _)| *id).collect()
    }

    #[test]
    fn a_page_starts_with_the_newest_entry_and_can_be_filtered() {
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
        assert_eq!(ids(&store.page(&Filter { problems: true, ..Filter::default() }, 9)), [4]);
        assert_eq!(store.next(2, Some("even"), 9).iter().map(|entry| entry.id).collect::<Vec<_>>(), [4, 6]);
    }

    #[test]
    fn the_oldest_entries_are_deleted_above_the_limit() {
        let store = Store::open(None, 500).unwrap();
        for _ in 0..2_000 {
            store.insert(&head("7"), None);
        }
        assert_eq!(store.count(), 500);
        assert_eq!(ids(&store.page(&Filter::default(), 1)), [2_000]);
    }

    #[test]
    fn a_request_and_its_response_are_stored_unchanged() {
        let store = Store::open(None, 100).unwrap();
        let request = Message { headers: vec![("accept".into(), "*/*".into())], body: b"\xffraw".to_vec() };
        let id = store.insert(&head("7"), Some(&request));
        assert_eq!(store.get(id).unwrap().response, None);
        let response = Message { headers: vec![], body: b"{}".to_vec() };
        store.update(id, &head("8"), Some(&response));
        let entry = store.get(id).unwrap();
        assert_eq!((entry.request, entry.response, entry.head.uuid.as_deref()), (request, Some(response), Some("8")));
        assert!(store.get(99).is_none());
    }
}
