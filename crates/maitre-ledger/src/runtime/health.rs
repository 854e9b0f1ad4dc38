//! Readiness of this process.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::timeout;

use super::inner::Inner;
use super::ledger::Ledger;
use crate::engine::CheckHealth;
use crate::error::LedgerError;

/// Time that the database has to respond.
const TIMEOUT: Duration = Duration::from_secs(2);

impl Inner {
    pub(super) async fn check_health(&self) -> Result<Duration, LedgerError> {
        let check = timeout(TIMEOUT, self.db.read(CheckHealth)).await;
        check.unwrap_or_else(|_| Err(LedgerError::timed_out(TIMEOUT)))
    }
}

impl Ledger {
    /// Returns the age of the oldest open operation, which is the age of the queue. It reads the database and the version
    /// of the tables, so a process whose call fails is not ready.
    ///
    /// Tables of a newer program are accepted, as running processes continue during a rolling deployment.
    ///
    /// # Errors
    /// Returns an error if the database fails or does not respond within two seconds, or if its tables are older than this program.
    pub async fn check_health(&self) -> Result<Duration, LedgerError> {
        self.inner.check_health().await
    }

    /// Declares that this process is shutting down. Nothing else changes; `maitre::health` answers that the process is no
    /// longer ready. `maitre::serve` calls it first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-health-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let url = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&url).await?;
    /// let ledger = maitre_ledger::Ledger::open(&url).await?;
    /// assert_eq!(ledger.check_health().await?, std::time::Duration::ZERO);
    /// ledger.begin_shutdown();
    /// assert!(ledger.is_shutting_down());
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn begin_shutdown(&self) {
        self.inner.shutting_down.store(true, Ordering::Release);
    }

    /// Whether this process is shutting down.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        self.inner.shutting_down.load(Ordering::Acquire)
    }
}
