//! A provision's grant, which becomes the resource's token within five minutes or never.

use maitre_core::{Job, OauthGrant, Provision, ResourceId, Result, Secret};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::{Error, Platform, api::Token};

/// What an errand to exchange a grant is called.
pub(crate) const GRANT: &str = "grant";

#[derive(Serialize, Deserialize)]
struct Written {
    code: String,
    kind: String,
    #[serde(with = "time::serde::timestamp")]
    expires_at: OffsetDateTime,
}

impl Platform {
    /// The exchange of a provision's grant as an errand. Another grant for the same resource is another one.
    pub(crate) fn exchange_of(&self, provision: &Provision) -> Option<Job> {
        let grant = provision.oauth_grant.as_ref()?;
        let code = grant.code.expose();
        let name = format!("{}:{}", provision.resource, hex::encode(&Sha256::digest(code)[..8]));
        let written = Written { code: code.to_owned(), kind: grant.kind.clone(), expires_at: grant.expires_at };
        let errand =
            Job::new(GRANT, name, serde_json::to_vec(&written).ok()?).with_resource(provision.resource.clone());
        // where another grant can be had, it is never too late
        Some(if self.0.lost_grants { errand } else { errand.with_deadline(grant.expires_at) })
    }

    /// Exchanges the grant, unless there is a token.
    pub(crate) async fn exchange(&self, resource: &ResourceId, payload: &[u8]) -> Result<()> {
        if self.stored_token(resource).await?.is_some() {
            return Ok(());
        }
        let written: Written = serde_json::from_slice(payload)?;
        let mut grant = OauthGrant::new(written.code, written.expires_at);
        grant.kind = written.kind;
        let token = match self.0.client.exchange(&grant).await {
            Err(error) if !error.is_transient() && self.0.lost_grants => {
                tracing::warn!(%resource, %error, "a grant was lost: asking for another one");
                self.new_token(resource).await
            }
            Err(error) if error.is_unauthorized() => {
                tracing::error!(%resource, %error, "a grant is lost: unless Heroku grants another, there will be no token");
                Err(error.into())
            }
            result => result.map_err(Error::Heroku),
        };
        let token = token.map_err(Error::into_failure)?;
        // where it is not written there is one already, or the resource is gone
        self.store_token(resource, &token, 0).await?;
        Ok(())
    }

    /// A token by way of a new grant.
    pub(crate) async fn new_token(&self, resource: &ResourceId) -> Result<Token, Error> {
        let grant = self.0.client.lost_grant(self.0.addon.slug(), self.needs_password()?, resource.as_str()).await?;
        Ok(self.0.client.exchange(&grant).await?)
    }

    pub(crate) fn needs_password(&self) -> Result<&Secret, Error> {
        self.0.password.as_ref().ok_or(Error::NoPassword)
    }
}
