//! Views and statistics for operators, and resealing.

use super::ledger::Ledger;
use crate::engine::{
    JobView, ListAllResources, ListedResource, ParkedOperation, RESEALED_TABLES, ReadParkedJobs, ReadParkedOperations,
    ReadResource, ReadStats, ResealBatch, ResourceFilter, ResourceView, Stats,
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

    /// Returns the resources that a filter selects, in the order of their first requests.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn resources(&self, filter: ResourceFilter) -> Result<Vec<ListedResource>, LedgerError> {
        self.inner.db.read(ListAllResources(filter)).await
    }

    /// Returns the statistics.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn stats(&self) -> Result<Stats, LedgerError> {
        self.inner.db.read(ReadStats).await
    }

    /// Returns the parked operations, oldest first, at most a hundred.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn parked_operations(&self) -> Result<Vec<ParkedOperation>, LedgerError> {
        self.inner.db.read(ReadParkedOperations).await
    }

    /// Returns the parked jobs, oldest first, at most a hundred.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn parked_jobs(&self) -> Result<Vec<JobView>, LedgerError> {
        self.inner.db.read(ReadParkedJobs).await
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
