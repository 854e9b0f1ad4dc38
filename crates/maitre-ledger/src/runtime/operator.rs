//! Operator interface: views, statistics and actions.

use maitre_core::AddonId;

use super::ledger::Ledger;
use crate::engine::{
    Abandon, Erase, JobView, RESEALED_TABLES, ReadParkedJobs, ReadResource, ReadStats, ResealBatch, ResourceView,
    Retry, RetryOrAbandonJob, Stats,
};
use crate::error::LedgerError;

impl Ledger {
    /// Returns a resource of any add-on by its key or provider id, with its timeline.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn resource(&self, id: &str) -> Result<Option<ResourceView>, LedgerError> {
        self.inner.db.read(ReadResource { id: id.to_owned() }).await
    }

    /// Returns the statistics.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn stats(&self) -> Result<Stats, LedgerError> {
        self.inner.db.read(ReadStats).await
    }

    /// Retries an operation immediately that is parked or waits for a retry. Returns whether there was such an operation.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn retry(&self, operation: i64) -> Result<bool, LedgerError> {
        let changed = self.inner.db.write(Retry { operation }).await?;
        self.inner.waiting.wake();
        Ok(changed)
    }

    /// Abandons a parked operation: it stays in the timeline and is not retried. Returns whether there was such an
    /// operation. A parked resource stays parked until it is provisioned again or deprovisioned.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn abandon(&self, operation: i64) -> Result<bool, LedgerError> {
        self.inner.db.write(Abandon { operation }).await
    }

    /// Erases a deprovisioned resource and its timeline. No personal data remains, only the key, so that it is never
    /// provisioned again. Returns whether there was such a resource; a live one is not erased.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn erase(&self, addon: &AddonId, id: &str) -> Result<bool, LedgerError> {
        self.inner.db.write(Erase { addon: addon.to_string(), id: id.to_owned() }).await
    }

    /// Returns the parked jobs, oldest first, at most a hundred.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn parked_jobs(&self) -> Result<Vec<JobView>, LedgerError> {
        self.inner.db.read(ReadParkedJobs).await
    }

    /// Retries an open or parked job immediately. Returns whether there was such a job.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn retry_job(&self, job: i64) -> Result<bool, LedgerError> {
        self.inner.db.write(RetryOrAbandonJob { id: job, retry: true }).await
    }

    /// Abandons a parked job. Returns whether there was such a job.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn abandon_job(&self, job: i64) -> Result<bool, LedgerError> {
        self.inner.db.write(RetryOrAbandonJob { id: job, retry: false }).await
    }

    /// Encrypts every value again that another key than the first has encrypted, and returns their number. Afterwards the
    /// old key can be removed from `MAITRE_KEY`. It can run beside other work, and again after an interruption.
    ///
    /// # Errors
    /// Returns an error if the database fails, or if the key of a value is missing.
    pub async fn reseal(&self) -> Result<u64, LedgerError> {
        let mut resealed = 0;
        for table in RESEALED_TABLES {
            let mut next = Some(0);
            while let Some(after) = next {
                let count;
                (count, next) = self.inner.db.write(ResealBatch { table, after }).await?;
                resealed += count;
            }
        }
        Ok(resealed)
    }
}
