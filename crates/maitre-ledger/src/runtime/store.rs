//! `PlatformStore` on the ledger's database, for the crate of a marketplace's API.

use std::sync::Arc;
use std::time::Duration;

use maitre_core::{
    Account, AccountId, AddonId, BoxFuture, ConfigVars, Job, PlatformStore, ResourceId, ResourceSummary, Result,
    StoredValue,
};

use super::inner::Inner;
use super::ledger::Ledger;
use crate::engine::{
    EnqueueJob, ListResources, Lock, MoveResources, ReadAccount, ReadAccountOf, ReadValue, UpdateConfig, ValueRef,
    WriteValue, config_of,
};

impl Ledger {
    /// Returns the store of encrypted values and jobs, for the crate of a marketplace's API.
    #[must_use]
    pub fn store(&self) -> Arc<dyn PlatformStore> {
        self.inner.clone()
    }
}

fn value_ref(addon: &AddonId, resource: &ResourceId, name: &str) -> ValueRef {
    ValueRef::new(addon.to_string(), resource.as_str(), name)
}

impl PlatformStore for Inner {
    fn read<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredValue>>> {
        let value_ref = value_ref(addon, resource, name);
        Box::pin(async move { Ok(self.db.read(ReadValue(value_ref)).await?) })
    }

    fn write<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
        value: &'a [u8],
        expected_version: i64,
    ) -> BoxFuture<'a, Result<bool>> {
        let command =
            WriteValue { value_ref: value_ref(addon, resource, name), value: value.to_vec(), expected_version };
        Box::pin(async move { Ok(self.db.write(command).await?) })
    }

    fn try_lock<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        let duration = i64::try_from(length.as_millis()).unwrap_or(i64::MAX / 2).max(1);
        let command = Lock { value_ref: value_ref(addon, resource, name), duration };
        Box::pin(async move { Ok(self.db.write(command).await?) })
    }

    fn unlock<'a>(&'a self, addon: &'a AddonId, resource: &'a ResourceId, name: &'a str) -> BoxFuture<'a, Result<()>> {
        let command = Lock { value_ref: value_ref(addon, resource, name), duration: 0 };
        Box::pin(async move {
            self.db.write(command).await?;
            Ok(())
        })
    }

    fn enqueue<'a>(&'a self, addon: &'a AddonId, job: Job) -> BoxFuture<'a, Result<bool>> {
        let command = EnqueueJob { addon: addon.to_string(), job };
        Box::pin(async move { Ok(self.db.write(command).await?) })
    }

    fn update_config<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        config: &'a ConfigVars,
    ) -> BoxFuture<'a, Result<bool>> {
        let (addon, resource, config) = (addon.to_string(), resource.to_string(), config_of(config));
        Box::pin(async move { Ok(self.db.write(UpdateConfig { addon, resource, config }).await?) })
    }

    fn resources<'a>(
        &'a self,
        addon: &'a AddonId,
        after: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<ResourceSummary>>> {
        let command = ListResources { addon: addon.to_string(), after: after.unwrap_or_default().to_owned(), limit };
        Box::pin(async move { Ok(self.db.read(command).await?) })
    }

    fn account<'a>(&'a self, addon: &'a AddonId, account: &'a AccountId) -> BoxFuture<'a, Result<Option<Account>>> {
        let command = ReadAccount { addon: addon.to_string(), account: account.to_string() };
        Box::pin(async move { Ok(self.db.read(command).await?) })
    }

    fn account_of<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
    ) -> BoxFuture<'a, Result<Option<Account>>> {
        let command = ReadAccountOf { addon: addon.to_string(), resource: resource.to_string() };
        Box::pin(async move { Ok(self.db.read(command).await?) })
    }

    fn move_resources<'a>(
        &'a self,
        addon: &'a AddonId,
        resources: &'a [ResourceId],
        from: &'a AccountId,
        to: &'a AccountId,
    ) -> BoxFuture<'a, Result<bool>> {
        let resources = resources.iter().map(ToString::to_string).collect();
        let command = MoveResources { addon: addon.to_string(), resources, from: from.to_string(), to: to.to_string() };
        Box::pin(async move { Ok(self.db.write(command).await?) })
    }
}
