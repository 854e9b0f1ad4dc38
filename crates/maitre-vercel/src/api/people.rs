use maitre_core::Secret;
use maitre_http::{CallError, JsonCall};
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Api;
use crate::{
    error::Error,
    models::{Account, Member, Revocation, RotatedToken},
};

/// The account, its members, and the access token of the installation.
///
/// Every method returns an [`Error`] if the call fails.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use maitre_vercel::{Client, Role, connect};
/// # let vercel = maitre_testkit::vercel::Platform::new("oac_lantern", "client secret");
/// # let server = vercel.serve().await?;
/// # let installation = vercel.new_installation();
/// # let client = Client::new("oac_lantern", "client secret", connect().url(server.url()).build()?)?;
/// # let old = maitre_core::Secret::from(installation.access_token());
/// let api = client.installation(installation.id(), old.clone());
/// assert_eq!(api.member(installation.user_id()).await?.role, Role::Admin);
///
/// let rotated = api.rotate_access_token().await?; // store it before the old one is revoked
/// let api = client.installation(installation.id(), rotated.access_token);
/// assert!(!api.revoke_access_token(&old).await?.already_revoked);
/// # Ok(())
/// # }
/// ```
impl Api {
    /// `GET …/account`: returns the contact of the team.
    pub async fn account(&self) -> Result<Account, Error> {
        Ok(self.get(&["account"]).read().await?)
    }

    /// `GET …/member/{id}`: returns a user of the team, by the `user_id` of a token.
    pub async fn member(&self, user: &str) -> Result<Member, Error> {
        Ok(self.get(&["member", user]).read().await?)
    }

    /// `POST …/credentials/rotate`: returns a new access token. The old one stays valid until it is
    /// [revoked](Self::revoke_access_token).
    pub async fn rotate_access_token(&self) -> Result<RotatedToken, Error> {
        self.with_client_secret(json!({}), || self.call(Method::POST, &["credentials", "rotate"])).await
    }

    /// `POST …/credentials/revoke`: revokes another access token of the installation than the one of this value.
    pub async fn revoke_access_token(&self, old: &Secret) -> Result<Revocation, Error> {
        let call = || self.call(Method::POST, &["credentials", "revoke"]).repeatable();
        self.with_client_secret(json!({ "token": old.expose() }), call).await
    }

    /// Sends a call with the current client secret, and with an old one if Vercel refuses it: either the access token does not
    /// permit the call, or the current secret is not in use yet.
    async fn with_client_secret<T: DeserializeOwned>(
        &self,
        mut body: Value,
        call: impl Fn() -> JsonCall,
    ) -> Result<T, Error> {
        let client = &self.client.0;
        body["client_id"] = client.client_id.as_str().into();
        let mut refused = None;
        for secret in client.client_secrets.attempts(self.client.now()) {
            body["client_secret"] = secret.expose().into();
            match call().body(body.clone()).read().await.map_err(Error::from) {
                Err(error) if error.is_forbidden() => refused = refused.or(Some(error)),
                result => return result,
            }
        }
        let ended = || CallError::unsendable("POST /credentials", "every client secret has ended").into();
        Err(refused.unwrap_or_else(ended))
    }
}
