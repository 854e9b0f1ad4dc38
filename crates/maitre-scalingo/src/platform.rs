//! The API with a ledger.

use std::{fmt, sync::Arc, time::Duration};

use maitre_core::{
    AddonId, BoxFuture, Completion, ConfigVars, Job, JobOutcome, PlatformHooks, PlatformStore, Provision, ResourceId,
    Result,
};
use maitre_http::CallError;
use maitre_platform::{
    COMPLETION_DEADLINE, Connection, Error, Listed, Reconcile, SendsConfig, check_addon, provider_id, unknown_job,
};
use time::OffsetDateTime;

use crate::client::{App, Client};

/// Kind of the job that records the app of a resource, and name of the recorded value.
const APP: &str = "app";

/// Access to Scalingo's API for one add-on, with a ledger.
///
/// Passed to the ledger, a platform sends the config vars of operations that were answered 202 when they complete. The
/// vendor's own code changes config vars with [`set_config`](Self::set_config). Clones share one configuration. `Debug`
/// prints the add-on only.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    addon: AddonId,
    client: Client,
    store: Arc<dyn PlatformStore>,
}

impl Platform {
    /// Creates a platform for the add-on of this client. The store is the ledger's.
    #[must_use]
    pub fn new(client: Client, store: Arc<dyn PlatformStore>) -> Self {
        let addon = AddonId::new("scalingo", client.username());
        Self(Arc::new(Inner { addon, client, store }))
    }

    /// Returns the API client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Returns the customer's app.
    ///
    /// # Errors
    /// Returns [`Error::Unidentified`] if the app is not known, and [`Error::Ambiguous`] if it has another of the vendor's
    /// add-ons: Scalingo's API identifies an add-on by its app only.
    pub async fn app(&self, resource: &ResourceId) -> std::result::Result<App, Error> {
        let Inner { addon, client, store } = &*self.0;
        let provider_id = provider_id(&**store, addon, resource).await?;
        let is_own = |id: &str| id == resource.as_str() || Some(id) == provider_id.as_deref();
        let recorded = store.read(addon, resource, APP).await.map_err(|failure| Error::store(&failure))?;
        let app_id = match recorded {
            Some(recorded) => Some(String::from_utf8_lossy(&recorded.value).into_owned()),
            // sold before the vendor used this crate
            None => client.apps().await?.into_iter().find(|app| is_own(&app.addon_provider_id)).map(|app| app.app_id),
        };
        let app_id = app_id.ok_or_else(|| Error::Unidentified(resource.clone()))?;
        let app = client.app(&app_id).await?;
        if app.addon_provider_id.as_deref().is_some_and(|id| !is_own(id)) {
            return Err(Error::Ambiguous(resource.clone()));
        }
        Ok(app)
    }

    /// Changes these config vars, also in the reply to a repeated provision. Sends nothing if all of them have these values
    /// already, because every change restarts the customer's app.
    ///
    /// # Errors
    /// Returns an error if the app cannot be identified, a call fails, or the ledger cannot be written.
    pub async fn set_config(&self, resource: &ResourceId, config: &ConfigVars) -> std::result::Result<(), Error> {
        maitre_platform::set_config(self, resource, config).await
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
        let apps = self.0.client.apps().await?;
        Ok(apps.into_iter().map(|app| Listed::by_provider_id(app.addon_provider_id, app.plan)).collect())
    }
}

impl SendsConfig for Platform {
    async fn send_config(&self, resource: &ResourceId, config: &ConfigVars) -> std::result::Result<(), Error> {
        let app = self.app(resource).await?;
        if !app.config.contains(config) {
            self.0.client.set_config(&app.id, config).await?;
        }
        Ok(())
    }
}

impl PlatformHooks for Platform {
    fn provision_job(&self, provision: &Provision) -> Option<Job> {
        let app_id = provision.details.text("app_id")?.as_bytes().to_vec();
        Some(Job::new(APP, provision.resource.to_string(), app_id).with_resource(provision.resource.clone()))
    }

    fn run_job<'a>(&'a self, addon: &'a AddonId, job: &'a Job) -> BoxFuture<'a, Result<JobOutcome>> {
        Box::pin(async move {
            check_addon(&self.0.addon, addon)?;
            match &job.resource {
                Some(resource) if job.kind == APP => {
                    // one that is recorded stays
                    self.0.store.write(addon, resource, APP, &job.payload, 0).await?;
                    Ok(JobOutcome::Complete)
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
