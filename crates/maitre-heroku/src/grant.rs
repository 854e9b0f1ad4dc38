//! Exchange of a provision's grant for the token of the resource, which must happen within five minutes.

use maitre_core::{Job, OauthGrant, Provision, ResourceId, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::{api::Token, error::Error, job::JobKind, platform::Platform};

#[derive(Serialize, Deserialize)]
struct GrantPayload {
    code: String,
    kind: String,
    #[serde(with = "time::serde::timestamp")]
    expires_at: OffsetDateTime,
}

impl Platform {
    /// Returns the job that exchanges the grant of a provision. Its name contains a hash of the grant, so that another
    /// grant for the same resource is another job.
    pub(crate) fn exchange_job(&self, provision: &Provision) -> Option<Job> {
        let grant = provision.oauth_grant.as_ref()?;
        let code = grant.code.expose();
        let name = format!("{}:{}", provision.resource, hex::encode(&Sha256::digest(code)[..8]));
        let payload = GrantPayload { code: code.to_owned(), kind: grant.kind.clone(), expires_at: grant.expires_at };
        let job = Job::new(JobKind::Grant.as_str(), name, serde_json::to_vec(&payload).ok()?);
        let job = job.with_resource(provision.resource.clone());
        // An expired grant can be replaced, so the job has no deadline then.
        Some(if self.0.replacement_grants { job } else { job.with_deadline(grant.expires_at) })
    }

    /// Exchanges the grant, unless the resource has a token.
    pub(crate) async fn exchange_grant(&self, resource: &ResourceId, payload: &[u8]) -> Result<()> {
        if self.stored_token(resource).await?.is_some() {
            return Ok(());
        }
        let payload: GrantPayload = serde_json::from_slice(payload)?;
        let mut grant = OauthGrant::new(payload.code, payload.expires_at);
        grant.kind = payload.kind;
        let token = match self.0.client.exchange(&grant).await {
            Err(error) if !error.is_transient() && self.0.replacement_grants => {
                tracing::warn!(%resource, %error, "a grant was lost: requesting a replacement");
                self.token_by_replacement_grant(resource).await
            }
            Err(error) if error.is_unauthorized() => {
                tracing::error!(
                    %resource,
                    %error,
                    "a grant was lost: the resource has no token unless Heroku issues another grant"
                );
                Err(error.into())
            }
            result => result.map_err(Error::Heroku),
        };
        let token = token.map_err(Error::into_failure)?;
        // The token is not stored if there is one by now, or if the resource was removed. Neither is an error.
        self.store_token(resource, &token, 0).await?;
        Ok(())
    }

    /// Requests a replacement grant and exchanges it.
    pub(crate) async fn token_by_replacement_grant(&self, resource: &ResourceId) -> Result<Token, Error> {
        let (slug, password) = (self.0.addon.slug(), self.password()?);
        let grant = self.0.client.replacement_grant(slug, &password, resource.as_str()).await?;
        Ok(self.0.client.exchange(&grant).await?)
    }
}
