//! Port from a marketplace's API to a ledger.

use std::fmt;
use std::future::ready;
use std::time::Duration;

use crate::account::Account;
use crate::config_vars::ConfigVars;
use crate::failure::Result;
use crate::future::BoxFuture;
use crate::ids::{AccountId, AddonId, ResourceId};
use crate::job::Job;

/// Port from a marketplace's API to a ledger: encrypted values of resources, jobs, and locks that one process holds at
/// a time.
///
/// The ledger implements it. Everything is shared by all processes on the ledger's database. The values of a resource
/// are deleted with the resource. A value of the add-on itself has an empty resource.
pub trait PlatformStore: Send + Sync + 'static {
    /// Reads a value of a resource.
    fn read<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredValue>>>;

    /// Writes a value if the existing value has the expected version; 0 if there must be none. Returns whether the value
    /// was written.
    fn write<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
        value: &'a [u8],
        expected_version: i64,
    ) -> BoxFuture<'a, Result<bool>>;

    /// Acquires a named lock for a limited time. Returns whether the lock was free.
    fn try_lock<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<bool>>;

    /// Releases a lock held by this process.
    fn unlock<'a>(&'a self, addon: &'a AddonId, resource: &'a ResourceId, name: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Enqueues a job. Returns whether the job is new.
    fn enqueue<'a>(&'a self, addon: &'a AddonId, job: Job) -> BoxFuture<'a, Result<bool>>;

    /// Updates config vars in the stored reply of a provision, which is returned to a repeated request.
    fn update_config<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        config: &'a ConfigVars,
    ) -> BoxFuture<'a, Result<bool>>;

    /// Returns at most `limit` resources of an add-on, ordered by key, whose keys are greater than `after`.
    fn resources<'a>(
        &'a self,
        addon: &'a AddonId,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<ResourceSummary>>>;

    /// Returns the record of an account with its credentials. The default has none.
    fn account<'a>(&'a self, addon: &'a AddonId, account: &'a AccountId) -> BoxFuture<'a, Result<Option<Account>>> {
        let _ = (addon, account);
        Box::pin(ready(Ok(None)))
    }

    /// Returns the account that a resource belongs to. The default knows none.
    fn account_of<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
    ) -> BoxFuture<'a, Result<Option<Account>>> {
        let _ = (addon, resource);
        Box::pin(ready(Ok(None)))
    }

    /// Moves resources, by their keys, from one account to another that is open: all of them or none. Those that belong to
    /// the other account already stay there. Returns whether all were found and the account is open. The default moves
    /// none.
    fn move_resources<'a>(
        &'a self,
        addon: &'a AddonId,
        resources: &'a [ResourceId],
        from: &'a AccountId,
        to: &'a AccountId,
    ) -> BoxFuture<'a, Result<bool>> {
        let _ = (addon, resources, from, to);
        Box::pin(ready(Ok(false)))
    }
}

/// A value in the store.
#[derive(Clone)]
#[non_exhaustive]
pub struct StoredValue {
    /// The value; secret.
    pub value: Vec<u8>,
    /// Version, which grows with every write; 1 for the first.
    pub version: i64,
}

impl StoredValue {
    /// Creates a value as read from the store.
    #[must_use]
    pub fn new(value: Vec<u8>, version: i64) -> Self {
        Self { value, version }
    }
}

impl fmt::Debug for StoredValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredValue").field("version", &self.version).finish_non_exhaustive()
    }
}

/// A resource in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceSummary {
    /// The resource's key.
    pub resource: ResourceId,
    /// The vendor's id, if it differs from the key.
    pub provider_id: Option<String>,
    /// The plan.
    pub plan: Option<String>,
    /// Whether the resource is provisioned and not being deprovisioned.
    pub lives: bool,
    /// Whether the resource was deprovisioned.
    pub removed: bool,
}

impl ResourceSummary {
    /// Creates a summary with only the key.
    pub fn new(resource: impl Into<ResourceId>) -> Self {
        Self { resource: resource.into(), provider_id: None, plan: None, lives: false, removed: false }
    }
}
