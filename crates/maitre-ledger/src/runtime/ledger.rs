//! `Ledger`: open, migrate, wrap listeners, and close.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use maitre_core::{InFlight, Listener};
use tokio::time::{Instant, sleep};

use super::builder::LedgerBuilder;
use super::inner::Inner;
use super::listener::DurableListener;
use crate::engine::{Database, ReleaseLeases};
use crate::error::LedgerError;

/// Time that stopped calls may take to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Durable, idempotent operation queue on SQLite or Postgres. Clones share the same ledger.
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
/// let first = listener.provision(request.clone()).await.unwrap().done().unwrap();
/// let replay = listener.provision(request).await.unwrap().done().unwrap();
/// assert_eq!(first.id(), replay.id(), "the second request is answered with the recorded reply");
/// # ledger.close().await;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Ledger {
    pub(super) inner: Arc<Inner>,
}

impl Ledger {
    pub(super) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Opens the ledger at `sqlite://file.db` or `postgres://…` with default settings. [`Ledger::migrate`] has to create
    /// its tables first.
    ///
    /// Keys are read from `MAITRE_KEY`: 64 hex digits, or several keys separated by commas, the newest first. Without it,
    /// SQLite uses a key file beside the database, which is created if it does not exist, and Postgres fails.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached, its tables have another version, or no key is set.
    pub async fn open(url: &str) -> Result<Self, LedgerError> {
        Self::builder(url).open().await
    }

    /// Returns the settings of a ledger, to be changed and opened.
    pub fn builder(url: &str) -> LedgerBuilder {
        LedgerBuilder::new(url)
    }

    /// Creates or migrates the ledger's tables. Run it once before a rollout, not in every process; with SQLite at the
    /// start of the process.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached or changed.
    pub async fn migrate(url: &str) -> Result<(), LedgerError> {
        Database::migrate(url).await
    }

    /// Wraps a listener so that it is safe under duplicates, crashes and many processes.
    ///
    /// Every operation is recorded before the listener is called. Duplicates wait for the running operation and get the
    /// same reply, and repeated requests are answered with the recorded reply.
    pub fn wrap<L: Listener>(&self, listener: L) -> DurableListener<L> {
        DurableListener::new(self.inner.clone(), listener)
    }

    /// Returns the counter of listener calls that run in this process, for requests and workers.
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

    /// Stops running calls and releases their operations so that other processes take over immediately, then closes the
    /// connections. Call it last, after workers and routers have drained; `maitre::serve` does.
    pub async fn close(&self) {
        self.begin_shutdown();
        self.inner.stopping.send_replace(true);
        let end = Instant::now() + STOP_TIMEOUT;
        while self.inner.running.count() > 0 && Instant::now() < end {
            sleep(Duration::from_millis(5)).await;
        }
        match self.inner.db.write(ReleaseLeases).await {
            Ok(0) => {}
            Ok(operations) => tracing::info!("released {operations} unfinished operations"),
            Err(error) => tracing::warn!(%error, "cannot release leases; they will expire"),
        }
        self.inner.polling.abort();
        self.inner.db.close().await;
    }
}

impl LedgerBuilder {
    /// Opens the ledger.
    ///
    /// # Errors
    /// Returns an error if the database cannot be reached, its tables have another version, or no key is set.
    pub async fn open(self) -> Result<Ledger, LedgerError> {
        self.open_inner().await.map(Ledger::new)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}
