//! Opening, migrating and handing out.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use maitre_core::{AddonId, InFlight, Listener};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use crate::db::{Db, Dialect, Milliseconds};
use crate::engine::{Engine, GiveBack, Limits};
use crate::error::LedgerError;
use crate::kept::DurableListener;
use crate::seal::Keys;
use crate::waiting::Waiting;

/// How long a call may take to stop that was told to.
const STOPPING: Duration = Duration::from_secs(2);

/// The durable record of what was asked and answered; clones are the same ledger.
///
/// ```
/// use maitre_core::*;
/// use maitre_ledger::Ledger;
///
/// # struct Widgets;
/// # impl Listener for Widgets {
/// #     async fn provision(&self, r: Provision) -> Result<Provisioned> { Ok(Provisioned::new(r.context.fence)) }
/// #     async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> { Ok(PlanChanged::new()) }
/// #     async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> { Ok(Deprovisioned::new()) }
/// #     async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> { Ok(SignedOn::redirect("/")) }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("maitre-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let url = format!("sqlite://{}", folder.join("maitre.db").display());
/// Ledger::migrate(&url).await?;
/// let ledger = Ledger::open(&url).await?;
/// let listener = ledger.wrap(Widgets);
///
/// let request = Provision::new(AddonId::new("heroku", "widgets"), "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21", "basic");
/// let first = listener.provision(request.clone()).await.unwrap();
/// let again = listener.provision(request).await.unwrap();
/// assert_eq!(first.id(), again.id(), "the second one was answered from the record");
/// # ledger.close().await;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Ledger {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) engine: Arc<Engine>,
    pub(crate) waiting: Arc<Waiting>,
    /// How long one who joins waits for another's result.
    pub(crate) patience: Duration,
    pub(crate) db: Arc<Db>,
    /// The listener calls that run here at this moment, and whether they shall stop.
    pub(crate) running: InFlight,
    pub(crate) stopping: tokio::sync::watch::Sender<bool>,
    watch: AbortHandle,
    addons: Mutex<HashMap<String, AddonId>>,
}

/// How to open a ledger; see [`Ledger::builder`].
///
/// ```
/// use std::time::Duration;
/// use maitre_ledger::Ledger;
///
/// let options = Ledger::builder("postgres://db/app").lease_duration(Duration::from_secs(20)).connections(5);
/// assert!(!format!("{options:?}").contains("postgres"), "the URL may hold a password");
/// ```
#[derive(Clone)]
pub struct LedgerBuilder {
    url: String,
    keys: Option<Keys>,
    connections: u32,
    limits: Limits,
    patience: Duration,
    clock_offset: Milliseconds,
}

impl fmt::Debug for LedgerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerBuilder").field("connections", &self.connections).finish_non_exhaustive()
    }
}

fn milliseconds(duration: Duration) -> Milliseconds {
    Milliseconds::try_from(duration.as_millis()).unwrap_or(Milliseconds::MAX)
}

impl LedgerBuilder {
    /// The keys, in the place of those in `MAITRE_KEY`.
    #[must_use]
    pub fn keys(mut self, keys: Keys) -> Self {
        self.keys = Some(keys);
        self
    }

    /// How long a process may be silent before another takes its operations over; 30 s if not set.
    #[must_use]
    pub fn lease_duration(mut self, length: Duration) -> Self {
        self.limits.lease = milliseconds(length);
        self
    }

    /// Attempts before an operation is parked. Defaults to 12. Deprovisions are never parked.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.limits.attempts = attempts.into();
        self
    }

    /// Delay before the second attempt, and the longest delay; each delay is twice the one before. Defaults to 1 s and
    /// 15 min.
    #[must_use]
    pub fn backoff(mut self, first: Duration, max: Duration) -> Self {
        self.limits.first_backoff = milliseconds(first);
        self.limits.last_backoff = milliseconds(max);
        self
    }

    /// How long the tombstone of a removed resource is kept, with its timeline; for ever if not set. When it is gone, a
    /// provision that comes again by its key makes a new resource, so let it be more than a marketplace's last retry
    /// (Heroku: a day).
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.limits.retention = Some(milliseconds(retention));
        self
    }

    /// How long a duplicate waits for the first one's answer; 20 s if not set. Let it be less than the answer budget.
    #[must_use]
    pub fn duplicate_wait(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How many connections to Postgres are held at most; 8 if not set. An embedded database has two, one that writes
    /// and one that reads.
    #[must_use]
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Turns the database's clock, for tests of what happens later.
    #[must_use]
    pub fn clock_offset(mut self, offset: Duration) -> Self {
        self.clock_offset = milliseconds(offset);
        self
    }

    /// Opens the ledger.
    ///
    /// # Errors
    /// [`LedgerError`] when the database cannot be reached, its tables are of another version, or there is no key.
    pub async fn open(self) -> Result<Ledger, LedgerError> {
        let keys = match self.keys {
            Some(keys) => keys,
            None => keys_of(&self.url)?,
        };
        let owner = uuid::Uuid::new_v4().simple().to_string();
        let engine = Arc::new(Engine { keys, owner, limits: self.limits });
        let db = Arc::new(Db::open(&self.url, self.connections, self.clock_offset, engine.clone()).await?);
        let waiting = Arc::<Waiting>::default();
        let (held, asked) = (waiting.clone(), db.clone());
        let watch = tokio::spawn(async move { held.watch(&asked).await }).abort_handle();
        let inner = Inner {
            engine,
            waiting,
            patience: self.patience,
            db,
            running: InFlight::default(),
            stopping: tokio::sync::watch::Sender::new(false),
            watch,
            addons: Mutex::default(),
        };
        Ok(Ledger { inner: Arc::new(inner) })
    }
}

fn keys_of(url: &str) -> Result<Keys, LedgerError> {
    if let Ok(keys) = std::env::var("MAITRE_KEY") {
        return Ok(Keys::parse(&keys)?);
    }
    match Dialect::of(url)? {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => Ok(Keys::beside(&crate::db::file_of(url)?)?),
        #[cfg(feature = "postgres")]
        Dialect::Postgres => Err(LedgerError::no_key()),
    }
}

impl Ledger {
    /// Opens the ledger at `sqlite://file.db` or `postgres://…`, whose tables [`Ledger::migrate`] has made.
    ///
    /// Keys come from `MAITRE_KEY` (64 hex digits; several separated by commas, the newest first). Without it, SQLite
    /// makes a key file beside the database and says so, and Postgres refuses.
    ///
    /// # Errors
    /// [`LedgerError`] when the database cannot be reached, its tables are of another version, or there is no key.
    pub async fn open(url: &str) -> Result<Self, LedgerError> {
        Self::builder(url).open().await
    }

    /// The same with other settings.
    #[must_use]
    pub fn builder(url: &str) -> LedgerBuilder {
        LedgerBuilder {
            url: url.to_owned(),
            keys: None,
            connections: 8,
            limits: Limits::default(),
            patience: Duration::from_secs(20),
            clock_offset: 0,
        }
    }

    /// Makes the ledger's tables, or brings them up to this program's version. Run it once before a rollout, not in
    /// every process; in one with an embedded database at start.
    ///
    /// # Errors
    /// [`LedgerError`] when the database cannot be reached or changed.
    pub async fn migrate(url: &str) -> Result<(), LedgerError> {
        Db::migrate(url).await
    }

    /// A listener around `listener` that is safe under duplicates, crashes and many processes.
    ///
    /// Its calls are written down before they are made, duplicates wait for the first one's answer and get the same,
    /// and what was answered is answered again without a call.
    pub fn wrap<L: Listener>(&self, listener: L) -> DurableListener<L> {
        DurableListener::new(self.inner.clone(), listener)
    }

    /// The listener calls that run at this moment, whoever asked for them: callers, those who have gone, and workers.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-in-flight-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let url = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&url).await?;
    /// let ledger = maitre_ledger::Ledger::open(&url).await?;
    /// assert_eq!(ledger.in_flight().count(), 0);
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn in_flight(&self) -> &InFlight {
        &self.inner.running
    }

    /// Stops what still runs and gives it back, so that another process goes on with it at once; then closes the
    /// connections. Call it last, after workers and routers have stopped and had their time; `maitre::serve` does.
    pub async fn close(&self) {
        self.inner.stopping.send_replace(true);
        let end = Instant::now() + STOPPING;
        while self.inner.running.count() > 0 && Instant::now() < end {
            sleep(Duration::from_millis(5)).await;
        }
        match self.inner.db.write(GiveBack).await {
            Ok(0) => {}
            Ok(operations) => {
                tracing::info!(operations, "gave back what was not done: another process goes on with it");
            }
            Err(error) => tracing::warn!(%error, "cannot give back what was not done: its leases end by themselves"),
        }
        self.inner.watch.abort();
        self.inner.db.close().await;
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Inner {
    /// The add-on's name in the records. Its `AddonId` is kept, as only the program knows the marketplaces by heart.
    pub(crate) fn remember(&self, addon: &AddonId) -> String {
        let name = addon.to_string();
        let mut addons = self.addons.lock().unwrap_or_else(PoisonError::into_inner);
        if !addons.contains_key(&name) {
            addons.insert(name.clone(), addon.clone());
        }
        name
    }

    pub(crate) fn addon_id(&self, name: &str) -> Result<AddonId, LedgerError> {
        let addons = self.addons.lock().unwrap_or_else(PoisonError::into_inner);
        addons.get(name).cloned().ok_or(LedgerError::damaged("an add-on that this program does not know"))
    }
}
