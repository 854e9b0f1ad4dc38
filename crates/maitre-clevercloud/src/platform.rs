//! The API with a ledger.

use std::{fmt, sync::Arc, time::Duration};

use maitre_core::{
    AddonId, BoxFuture, Completion, ConfigVars, Job, JobOutcome, PlatformHooks, PlatformStore, Provision, ResourceId,
    Result,
};
use maitre_http::CallError;
use maitre_platform::{
    COMPLETION_DEADLINE, Connection, Error, Listed, Reconcile, SendsConfig, check_addon, unknown_job,
};
use time::OffsetDateTime;

use crate::{client::Client, consumption};

/// Access to Clever Cloud's API for one add-on, with a ledger.
///
/// The vendor's own code changes config vars with [`set_config`](Self::set_config), and bills with
/// [`report_consumption`](Self::report_consumption) if the platform is passed to the ledger. Clones share one configuration.
/// `Debug` prints the add-on only.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    addon: AddonId,
    client: Client,
    store: Arc<dyn PlatformStore>,
}

impl Platform {
    /// Creates a platform for the provider of this client. The store is the ledger's.
    #[must_use]
    pub fn new(client: Client, store: Arc<dyn PlatformStore>) -> Self {
        let addon = AddonId::new("clevercloud", client.id());
        Self(Arc::new(Inner { addon, client, store }))
    }

    /// Returns the API client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Changes these config vars, also in the reply to a repeated provision, and keeps the others. Sends nothing if all of
    /// them have these values already.
    ///
    /// Clever Cloud replaces all config vars, so two concurrent changes of one resource may lose one of them.
    ///
    /// # Errors
    /// Returns an error if a call fails, or the ledger cannot be written.
    pub async fn set_config(&self, resource: &ResourceId, config: &ConfigVars) -> std::result::Result<(), Error> {
        maitre_platform::set_config(self, resource, config).await
    }

    /// Bills the owner of a resource for a consumption, in the background, at most once for each `report`, which is a name
    /// such as `2026-11`. Returns `false` if it is known already.
    ///
    /// If the outcome of a call is not known, the job is parked: compare with Clever Cloud's bill, and
    /// [abandon](https://docs.rs/maitre-ledger) the job, or call [`Client::report_consumption`].
    ///
    /// # Errors
    /// Returns an error if the ledger cannot be written.
    pub async fn report_consumption(
        &self,
        resource: &ResourceId,
        report: &str,
        cost_in_cents: u32,
    ) -> std::result::Result<bool, Error> {
        let job = consumption::job(resource, report, cost_in_cents);
        self.0.store.enqueue(&self.0.addon, job).await.map_err(|failure| Error::store(&failure))
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("addon", &self.0.addon).finish_non_exhaustive()
    }
}

impl Connection for Platform {
    type CallError = CallError;

    fn addon(&self) -> &AddonId {
        &self.0.addon
    }

    fn store(&self) -> &dyn PlatformStore {
        &*self.0.store
    }

    fn now(&self) -> OffsetDateTime {
        self.0.client.now()
    }
}

impl Reconcile for Platform {
    async fn listed(&self) -> std::result::Result<Vec<Listed>, Error> {
        let addons = self.0.client.addons().await?;
        Ok(addons.into_iter().map(|addon| Listed::by_key(addon.addon_id, addon.provider_id, addon.plan)).collect())
    }
}

impl SendsConfig for Platform {
    async fn send_config(&self, resource: &ResourceId, config: &ConfigVars) -> std::result::Result<(), Error> {
        let current = self.0.client.addon(resource.as_str()).await?.config;
        if !current.contains(config) {
            self.0.client.replace_config(resource.as_str(), current.merged_with(config)).await?;
        }
        Ok(())
    }
}

impl PlatformHooks for Platform {
    fn provision_job(&self, _: &Provision) -> Option<Job> {
        None
    }

    fn run_job<'a>(&'a self, addon: &'a AddonId, job: &'a Job) -> BoxFuture<'a, Result<JobOutcome>> {
        Box::pin(async move {
            check_addon(&self.0.addon, addon)?;
            match &job.resource {
                Some(resource) if job.kind == consumption::JOB => {
                    consumption::run(&self.0.client, &*self.0.store, addon, resource, job)
                        .await
                        .map(|()| JobOutcome::Complete)
                }
                _ => Err(unknown_job(addon, job)),
            }
        })
    }

    fn notify<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        completion: Completion<'a>,
    ) -> BoxFuture<'a, Result<()>> {
        maitre_platform::notify(self, addon, resource, completion)
    }

    fn completion_deadline(&self) -> Duration {
        COMPLETION_DEADLINE
    }
}
