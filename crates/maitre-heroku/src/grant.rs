//! Tokens of resources.

use maitre_core::{Job, OauthGrant, Provision, ResourceId};
use maitre_platform::IssuesTokens;

use crate::{api::Token, error::Error, platform::Platform};

impl Platform {
    /// Returns the job that exchanges the grant of a provision.
    pub(crate) fn exchange_job(&self, provision: &Provision) -> Option<Job> {
        let (job, grant) = (maitre_platform::exchange_job(provision)?, provision.oauth_grant.as_ref()?);
        // An expired grant can be replaced, so the job has no deadline then.
        Some(if self.0.replacement_grants { job } else { job.with_deadline(grant.expires_at) })
    }

    /// Requests a replacement grant and exchanges it.
    async fn token_by_replacement_grant(&self, resource: &ResourceId) -> Result<Token, Error> {
        let (slug, password) = (self.0.addon.slug(), self.password()?);
        let grant = self.0.client.replacement_grant(slug, &password, resource.as_str()).await?;
        Ok(self.0.client.exchange(&grant).await?)
    }
}

impl IssuesTokens for Platform {
    async fn exchange(&self, resource: &ResourceId, grant: &OauthGrant) -> Result<Token, Error> {
        match self.0.client.exchange(grant).await {
            Err(error) if !error.is_transient() && self.0.replacement_grants => {
                tracing::warn!(%resource, %error, "a grant was lost: requesting a replacement");
                self.token_by_replacement_grant(resource).await
            }
            result => Ok(result?),
        }
    }

    async fn refresh(&self, resource: &ResourceId, token: &Token) -> Result<Token, Error> {
        match self.0.client.refresh(token).await {
            Err(error) if !error.is_transient() && self.0.replacement_grants => {
                self.token_by_replacement_grant(resource).await
            }
            result => Ok(result?),
        }
    }
}
