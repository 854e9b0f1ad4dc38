//! The API with a ledger.

use std::{fmt, sync::Arc, time::Duration};

use maitre_core::{
    AddonId, BoxFuture, Completion, ConfigVars, Job, JobOutcome, OauthGrant, PlatformHooks, PlatformStore, Provision,
    ResourceId, Result,
};
use maitre_http::{CallError, Token};
use maitre_platform::{
    COMPLETION_DEADLINE, Connection, Error, GRANT_JOB, IssuesTokens, SendsConfig, call_with_token, check_addon,
    exchange_job, run_exchange, unknown_job,
};
use time::OffsetDateTime;

use crate::client::Client;

/// Access to DigitalOcean's API for one add-on, with one token per resource stored in a ledger.
///
/// Passed to the ledger, a platform exchanges the grants of provisions. The vendor's own code changes config vars with
/// [`set_config`](Self::set_config). Clones share one configuration. `Debug` prints the add-on only.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    addon: AddonId,
    client: Client,
    store: Arc<dyn PlatformStore>,
}

impl Platform {
    /// Creates a platform for the app with this slug. The store is the ledger's.
    #[must_use]
    pub fn new(app_slug: &str, client: Client, store: Arc<dyn PlatformStore>) -> Self {
        Self(Arc::new(Inner { addon: AddonId::new("digitalocean", app_slug), client, store }))
    }

    /// Returns the API client, which has no token.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// Returns the token of this resource, refreshed if it is about to expire.
    ///
    /// # Errors
    /// Returns [`Error::NoToken`] if the resource has no token, and an error if the refresh fails.
    pub async fn token(&self, resource: &ResourceId) -> std::result::Result<Token, Error> {
        maitre_platform::token(self, resource).await
    }

    /// Changes these config vars, also in the reply to a repeated provision. If DigitalOcean answers 401, refreshes the token
    /// and calls again, once.
    ///
    /// The response to a plan change cannot contain config vars: call this method after one that changes them.
    ///
    /// # Errors
    /// Returns [`Error::NoToken`] if the resource has no token, and an error if a call fails or the ledger cannot be written.
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

impl IssuesTokens for Platform {
    async fn exchange(&self, _: &ResourceId, grant: &OauthGrant) -> std::result::Result<Token, Error> {
        Ok(self.0.client.exchange(grant).await?)
    }

    async fn refresh(&self, _: &ResourceId, token: &Token) -> std::result::Result<Token, Error> {
        Ok(self.0.client.refresh(token).await?)
    }
}

impl SendsConfig for Platform {
    async fn send_config(&self, resource: &ResourceId, config: &ConfigVars) -> std::result::Result<(), Error> {
        let client = &self.0.client;
        call_with_token(
            self,
            resource,
            |token| async move { client.set_config(&token, resource.as_str(), config).await },
        )
        .await
    }
}

impl PlatformHooks for Platform {
    fn provision_job(&self, provision: &Provision) -> Option<Job> {
        let expires_at = provision.oauth_grant.as_ref()?.expires_at;
        Some(exchange_job(provision)?.with_deadline(expires_at))
    }

    fn run_job<'a>(&'a self, addon: &'a AddonId, job: &'a Job) -> BoxFuture<'a, Result<JobOutcome>> {
        Box::pin(async move {
            check_addon(&self.0.addon, addon)?;
            match &job.resource {
                Some(resource) if job.kind == GRANT_JOB => {
                    run_exchange(self, resource, &job.payload).await.map(|()| JobOutcome::Complete)
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
