//! `Operator`: actions by hand, each recorded with the operator's name and reason.

use maitre_core::AddonId;

use super::ledger::Ledger;
use crate::engine::{
    Abandon, AdoptMode, AdoptReport, Adoption, Author, Erase, RequestDeprovision, Retry, RetryOrAbandonJob,
};
use crate::error::LedgerError;

/// Operator, who decides about parked work. Every action is recorded in the timeline of its resource, with the operator's
/// name and reason.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("maitre-operator-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let url = format!("sqlite://{}", folder.join("maitre.db").display());
/// # maitre_ledger::Ledger::migrate(&url).await?;
/// # let ledger = maitre_ledger::Ledger::open(&url).await?;
/// let ada = ledger.operator("ada").with_reason("the cluster is back");
/// for parked in ledger.parked_operations().await? {
///     assert!(ada.retry(parked.operation.id).await?);
/// }
/// assert!(!ada.retry(4711).await?, "this operation does not exist");
/// # ledger.close().await;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Operator {
    ledger: Ledger,
    author: Author,
}

impl Ledger {
    /// Returns the actions of an operator with this name: a person, or a program that acts for one.
    pub fn operator(&self, name: impl Into<String>) -> Operator {
        Operator { ledger: self.clone(), author: Author { operator: name.into(), reason: None } }
    }
}

impl Operator {
    /// Reason of the actions that follow.
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.author.reason = Some(reason.into());
        self
    }

    /// Retries an operation immediately that is parked or waits for a retry. Returns whether there was such an operation.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn retry(&self, operation: i64) -> Result<bool, LedgerError> {
        let inner = &self.ledger.inner;
        let changed = inner.db.write(Retry { operation, author: self.author.clone() }).await?;
        inner.waiting.wake();
        Ok(changed)
    }

    /// Abandons a parked operation: it stays in the timeline and is not retried. Returns whether there was such an
    /// operation. A parked resource stays parked until it is provisioned again or deprovisioned.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn abandon(&self, operation: i64) -> Result<bool, LedgerError> {
        self.ledger.inner.db.write(Abandon { operation, author: self.author.clone() }).await
    }

    /// Requests the deprovision of a resource that its marketplace no longer knows. A worker runs it, as if the
    /// marketplace had requested it. Returns whether there was such a resource, which was not being deprovisioned.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn deprovision(&self, addon: &AddonId, id: &str) -> Result<bool, LedgerError> {
        let (addon, id, author) = (addon.to_string(), id.to_owned(), self.author.clone());
        let inner = &self.ledger.inner;
        let changed = inner.db.write(RequestDeprovision { addon, id, author }).await?;
        inner.waiting.wake();
        Ok(changed)
    }

    /// Adopts resources as [`Ledger::adopt`] does, and records it in their timelines.
    ///
    /// # Errors
    /// Returns an error if the database fails. The batches before it are adopted.
    pub async fn adopt(
        &self,
        resources: impl IntoIterator<Item = Adoption, IntoIter: Send>,
    ) -> Result<AdoptReport, LedgerError> {
        self.ledger.adopt_all(resources.into_iter(), AdoptMode::Record(self.author.clone())).await
    }

    /// Erases a deprovisioned resource and its timeline. No personal data remains, only the key, so that it is never
    /// provisioned again, and this action. Returns whether there was such a resource; a live one is not erased.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn erase(&self, addon: &AddonId, id: &str) -> Result<bool, LedgerError> {
        let (addon, id, author) = (addon.to_string(), id.to_owned(), self.author.clone());
        self.ledger.inner.db.write(Erase { addon, id, author }).await
    }

    /// Retries an open or parked job immediately. Returns whether there was such a job.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn retry_job(&self, job: i64) -> Result<bool, LedgerError> {
        self.ledger.inner.db.write(RetryOrAbandonJob { id: job, retry: true, author: self.author.clone() }).await
    }

    /// Abandons a parked job. Returns whether there was such a job.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn abandon_job(&self, job: i64) -> Result<bool, LedgerError> {
        self.ledger.inner.db.write(RetryOrAbandonJob { id: job, retry: false, author: self.author.clone() }).await
    }
}
