//! `LedgerBuilder`: the settings of a ledger.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use maitre_core::InFlight;
use tokio::sync::watch;

use super::inner::Inner;
use super::overtake::Calls;
use super::wait::Waiting;
use crate::db::{DatabaseKind, Milliseconds};
use crate::engine::{Database, Engine, Limits, UnknownPolicy};
use crate::error::LedgerError;
use crate::keys::Keys;

/// Settings of a ledger; see [`Ledger::builder`](crate::Ledger::builder).
///
/// ```
/// use std::time::Duration;
/// use maitre_ledger::Ledger;
///
/// let builder = Ledger::builder("postgres://db/app").lease_duration(Duration::from_secs(20)).connections(5);
/// assert!(!format!("{builder:?}").contains("postgres"), "the URL may contain a password");
/// ```
#[derive(Clone)]
#[must_use]
pub struct LedgerBuilder {
    url: String,
    keys: Option<Keys>,
    connections: u32,
    prepared_statements: bool,
    must_exist: bool,
    limits: Limits,
    duplicate_wait: Duration,
    clock_offset: Milliseconds,
}

impl fmt::Debug for LedgerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerBuilder")
            .field("connections", &self.connections)
            .field("unknown_policy", &self.limits.unknown)
            .finish_non_exhaustive()
    }
}

fn milliseconds(duration: Duration) -> Milliseconds {
    Milliseconds::try_from(duration.as_millis()).unwrap_or(Milliseconds::MAX)
}

impl LedgerBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            keys: None,
            connections: 8,
            prepared_statements: true,
            must_exist: false,
            limits: Limits::default(),
            duplicate_wait: Duration::from_secs(20),
            clock_offset: 0,
        }
    }

    /// Encryption keys. Defaults to those in `MAITRE_KEY`.
    pub fn keys(mut self, keys: Keys) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Time without a renewal after which another process takes over an operation. Defaults to 30 s.
    pub fn lease_duration(mut self, duration: Duration) -> Self {
        self.limits.lease = milliseconds(duration);
        self
    }

    /// Attempts before an operation is parked. Defaults to 12. A deprovision is never parked.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.limits.max_attempts = attempts.into();
        self
    }

    /// Delay after the first attempt, and the maximum delay; the delay doubles with every attempt. Defaults to 1 s and
    /// 15 min.
    pub fn backoff(mut self, first: Duration, max: Duration) -> Self {
        self.limits.first_backoff = milliseconds(first);
        self.limits.max_backoff = milliseconds(max);
        self
    }

    /// Retention of the tombstone of a deprovisioned resource and its timeline. Defaults to forever.
    ///
    /// After that, a repeated provision of its key creates a new resource, so the retention has to exceed the
    /// marketplace's last retry (Heroku: a day).
    pub fn retention(mut self, retention: Duration) -> Self {
        self.limits.retention = Some(milliseconds(retention));
        self
    }

    /// Treatment of plan changes, deprovisions and single sign-ons of resources that the ledger has never seen. Defaults to
    /// [`UnknownPolicy::AskListener`].
    ///
    /// ```
    /// use maitre_ledger::{Ledger, UnknownPolicy};
    ///
    /// let builder = Ledger::builder("sqlite://maitre.db").unknown_policy(UnknownPolicy::AnswerUnknown);
    /// assert!(format!("{builder:?}").contains("AnswerUnknown"));
    /// ```
    pub fn unknown_policy(mut self, policy: UnknownPolicy) -> Self {
        self.limits.unknown = policy;
        self
    }

    /// Time that a duplicate waits for the result of the running operation. Defaults to 20 s. It should be less than the
    /// answer budget.
    pub fn duplicate_wait(mut self, wait: Duration) -> Self {
        self.duplicate_wait = wait;
        self
    }

    /// Maximum number of connections to Postgres. Defaults to 8. SQLite always has two: a writer and a reader.
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Whether statements are prepared on Postgres. Defaults to `true`. Set it to `false`, or add `prepared_statements=false`
    /// to the URL, if a transaction pooler without prepared statements is in front of the server, such as `PgBouncer`
    /// before 1.21. Queries and batches then take two more round trips.
    pub fn prepared_statements(mut self, prepared: bool) -> Self {
        self.prepared_statements = prepared;
        self
    }

    /// Whether the SQLite file and its key must exist. Defaults to `false`: a missing file is created, and a missing key in
    /// `MAITRE_KEY` is generated into a file next to it. Tools set it, so that a wrong path is an error.
    pub fn must_exist(mut self, must_exist: bool) -> Self {
        self.must_exist = must_exist;
        self
    }

    /// Shifts the database's clock, for tests.
    pub fn clock_offset(mut self, offset: Duration) -> Self {
        self.clock_offset = milliseconds(offset);
        self
    }

    /// Opens the database and starts the task that polls for waiting callers and running calls.
    pub(super) async fn open_inner(self) -> Result<Inner, LedgerError> {
        #[cfg(feature = "sqlite")]
        if self.must_exist && DatabaseKind::of(&self.url)? == DatabaseKind::Sqlite {
            let file = crate::db::file_of(&self.url)?;
            if !file.exists() {
                return Err(LedgerError::no_file(file));
            }
        }
        let keys = match self.keys {
            Some(keys) => keys,
            None => default_keys(&self.url, self.must_exist)?,
        };
        let owner = uuid::Uuid::new_v4().simple().to_string();
        let engine = Arc::new(Engine { keys, owner, limits: self.limits });
        let prepared = self.prepared_statements;
        let db = Database::open(&self.url, self.connections, prepared, self.clock_offset, engine.clone()).await?;
        let db = Arc::new(db);
        let (waiting, calls) = (Arc::<Waiting>::default(), Arc::<Calls>::default());
        let (polled, polled_calls, polled_db) = (waiting.clone(), calls.clone(), db.clone());
        let polling = tokio::spawn(async move { tokio::join!(polled.poll(&polled_db), polled_calls.poll(&polled_db)) });
        Ok(Inner {
            engine,
            db,
            waiting,
            calls,
            duplicate_wait: self.duplicate_wait,
            running: InFlight::default(),
            shutting_down: AtomicBool::new(false),
            stopping: watch::Sender::new(false),
            #[cfg(feature = "sqlite")]
            folder: None,
            polling: polling.abort_handle(),
        })
    }
}

fn default_keys(url: &str, must_exist: bool) -> Result<Keys, LedgerError> {
    if let Ok(keys) = std::env::var("MAITRE_KEY") {
        return Ok(keys.parse::<Keys>()?);
    }
    match DatabaseKind::of(url)? {
        #[cfg(feature = "sqlite")]
        DatabaseKind::Sqlite => {
            let file = crate::db::file_of(url)?;
            Ok(if must_exist { crate::key_file::load(&file)? } else { crate::key_file::load_or_create(&file)? })
        }
        #[cfg(feature = "postgres")]
        DatabaseKind::Postgres => {
            let _ = must_exist; // a key file belongs to a SQLite file
            Err(LedgerError::no_key())
        }
    }
}
