//! Ledgers for tests.

use std::path::PathBuf;

use super::ledger::Ledger;
use crate::error::LedgerError;
use crate::keys::Keys;

/// Folder that is deleted when it is dropped.
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("maitre-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Ledger {
    /// Creates an empty ledger for a test, with a key of its own. It ends with its last clone.
    ///
    /// It behaves like a ledger on SQLite, because it is one: its file is in a new folder of the system's temporary folder, and
    /// is deleted with the last clone of the ledger. So it cannot be shared with another process or opened again, and a test
    /// that is killed leaves the folder. Use a database file to test recovery, and Postgres to test what is only there.
    ///
    /// ```
    /// use maitre_core::{AddonId, Backend, Provision};
    /// # use maitre_core::doctest::Widgets;
    /// use maitre_ledger::Ledger;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let ledger = Ledger::in_memory().await?;
    /// let listener = ledger.wrap(Widgets);
    /// let request = Provision::new(AddonId::new("heroku", "widgets"), "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21", "basic");
    /// listener.provision(request).await?;
    /// assert_eq!(ledger.stats().await?.open_operations, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the temporary folder cannot be written.
    pub async fn in_memory() -> Result<Self, LedgerError> {
        let folder = TemporaryFolder::new().map_err(LedgerError::no_temporary_folder)?;
        let url = format!("sqlite://{}", folder.0.join("maitre.db").display());
        Self::migrate(&url).await?;
        let mut inner = Self::builder(&url).keys(Keys::generate()).open_inner().await?;
        inner.folder = Some(folder);
        Ok(Self::new(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_folder_of_a_ledger_in_memory_is_deleted_with_its_last_clone() {
        let ledger = Ledger::in_memory().await.unwrap();
        let folder = ledger.inner.folder.as_ref().unwrap().0.clone();
        let other = Ledger::in_memory().await.unwrap();
        assert_ne!(folder, other.inner.folder.as_ref().unwrap().0);
        let clone = ledger.clone();
        drop(ledger);
        assert!(folder.join("maitre.db").exists());
        clone.close().await;
        drop(clone);
        assert!(!folder.exists());
    }
}
