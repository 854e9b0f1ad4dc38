//! Exchange of a provision's grant for the token of the resource, which must happen within minutes.

use maitre_core::{Job, OauthGrant, Provision, ResourceId, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::{
    error::Error,
    tokens::{self, IssuesTokens},
};

/// Kind of the jobs that exchange grants.
pub const GRANT_JOB: &str = "grant";

#[derive(Serialize, Deserialize)]
struct GrantPayload {
    code: String,
    kind: String,
    #[serde(with = "time::serde::timestamp")]
    expires_at: OffsetDateTime,
}

/// Returns the job that exchanges the grant of a provision. Its name contains a hash of the grant, so that another grant
/// for the same resource is another job.
#[must_use]
pub fn exchange_job(provision: &Provision) -> Option<Job> {
    let grant = provision.oauth_grant.as_ref()?;
    let code = grant.code.expose();
    let name = format!("{}:{}", provision.resource, hex::encode(&Sha256::digest(code)[..8]));
    let payload = GrantPayload { code: code.to_owned(), kind: grant.kind.clone(), expires_at: grant.expires_at };
    let job = Job::new(GRANT_JOB, name, serde_json::to_vec(&payload).ok()?);
    Some(job.with_resource(provision.resource.clone()))
}

/// Runs the job that exchanges a grant, unless the resource has a token.
///
/// # Errors
/// Returns a failure for the ledger.
pub async fn run_exchange<P: IssuesTokens>(platform: &P, resource: &ResourceId, payload: &[u8]) -> Result<()> {
    if tokens::is_stored(platform, resource).await.map_err(Error::into_failure)? {
        return Ok(());
    }
    let payload: GrantPayload = serde_json::from_slice(payload)?;
    let mut grant = OauthGrant::new(payload.code, payload.expires_at);
    grant.kind = payload.kind;
    let token = platform.exchange(resource, &grant).await;
    if let Err(Error::Call(error)) = &token
        && !error.as_ref().is_transient()
    {
        tracing::error!(%resource, %error, "a grant was lost: the resource has no token unless another grant is issued");
    }
    // The token is not stored if there is one by now, or if the resource was removed. Neither is an error.
    tokens::store(platform, resource, &token.map_err(Error::into_failure)?, 0).await.map_err(Error::into_failure)?;
    Ok(())
}
