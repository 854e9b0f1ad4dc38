//! What a marketplace's API may keep in the ledger: the port `PlatformStore`.

use std::sync::Arc;
use std::time::Duration;

use maitre_core::{
    AddonId, BoxFuture, ConfigVars, Job, PlatformStore, ResourceId, ResourceSummary, Result, StoredValue,
};

use crate::db::{Command, Connection, values};
use crate::engine::{Engine, Hold, Note, Of, ReadValue, Reconfigure, WriteValue};
use crate::error::LedgerError;
use crate::ledger::{Inner, Ledger};
use crate::reply::config_of;
use crate::rules::State;

impl Ledger {
    /// The ledger as a place for sealed values and errands, for the crate of a marketplace's API.
    #[must_use]
    pub fn store(&self) -> Arc<dyn PlatformStore> {
        self.inner.clone()
    }
}

impl PlatformStore for Inner {
    fn read<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<StoredValue>>> {
        let of = Of::new(self.remember(addon), resource.as_str(), name);
        Box::pin(async move { Ok(self.db.read(ReadValue(of)).await?) })
    }

    fn write<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
        value: &'a [u8],
        expected_version: i64,
    ) -> BoxFuture<'a, Result<bool>> {
        let of = Of::new(self.remember(addon), resource.as_str(), name);
        Box::pin(
            async move { Ok(self.db.write(WriteValue { of, value: value.to_vec(), over: expected_version }).await?) },
        )
    }

    fn try_lock<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        name: &'a str,
        length: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        let of = Of::new(self.remember(addon), resource.as_str(), name);
        let length = i64::try_from(length.as_millis()).unwrap_or(i64::MAX / 2).max(1);
        Box::pin(async move { Ok(self.db.write(Hold { of, length }).await?) })
    }

    fn unlock<'a>(&'a self, addon: &'a AddonId, resource: &'a ResourceId, name: &'a str) -> BoxFuture<'a, Result<()>> {
        let of = Of::new(self.remember(addon), resource.as_str(), name);
        Box::pin(async move {
            self.db.write(Hold { of, length: 0 }).await?;
            Ok(())
        })
    }

    fn enqueue<'a>(&'a self, addon: &'a AddonId, errand: Job) -> BoxFuture<'a, Result<bool>> {
        let addon = self.remember(addon);
        Box::pin(async move { Ok(self.db.write(Note { addon, errand }).await?) })
    }

    fn update_config<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        config: &'a ConfigVars,
    ) -> BoxFuture<'a, Result<bool>> {
        let (addon, resource, config) = (self.remember(addon), resource.to_string(), config_of(config));
        Box::pin(async move { Ok(self.db.write(Reconfigure { addon, resource, config }).await?) })
    }

    fn resources<'a>(
        &'a self,
        addon: &'a AddonId,
        after: Option<&'a str>,
        at_most: u32,
    ) -> BoxFuture<'a, Result<Vec<ResourceSummary>>> {
        let list = List { addon: self.remember(addon), after: after.unwrap_or_default().to_owned(), at_most };
        Box::pin(async move { Ok(self.db.read(list).await?) })
    }
}

struct List {
    addon: String,
    after: String,
    at_most: u32,
}

impl Command for List {
    type Outcome = Vec<ResourceSummary>;

    async fn apply(&self, _: &Engine, on: &mut Connection<'_>) -> Result<Vec<ResourceSummary>, LedgerError> {
        let list = "SELECT key, provider_id, plan, state FROM maitre_resources WHERE addon = $1 AND key > $2
             ORDER BY key LIMIT $3";
        let rows = on.rows(list, values![&self.addon, &self.after, i64::from(self.at_most)]).await?;
        rows.iter()
            .map(|row| {
                let state: State =
                    row.text("state")?.parse().map_err(|()| LedgerError::damaged("a resource in an unknown state"))?;
                let mut known = ResourceSummary::new(row.text("key")?);
                known.provider_id = row.maybe_text("provider_id")?;
                known.plan = row.maybe_text("plan")?;
                known.lives = state.lives();
                known.removed = state == State::Deprovisioned;
                Ok(known)
            })
            .collect()
    }
}
