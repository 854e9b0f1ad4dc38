use maitre_core::Secret;
use serde_json::json;

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
/// # use maitre_vercel::{Client, Role};
/// # let vercel = maitre_testkit::vercel::Platform::new("oac_lantern", "client secret");
/// # let server = vercel.serve().await?;
/// # let installation = vercel.new_installation();
/// # let client = Client::builder("oac_lantern", "client secret").api_url(server.url()).build()?;
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
        self.get(&["account"]).await?.json()
    }

    /// `GET …/member/{id}`: returns a user of the team, by the `user_id` of a token.
    pub async fn member(&self, user: &str) -> Result<Member, Error> {
        self.get(&["member", user]).await?.json()
    }

    /// `POST …/credentials/rotate`: returns a new access token. The old one stays valid until it is
    /// [revoked](Self::revoke_access_token).
    pub async fn rotate_access_token(&self) -> Result<RotatedToken, Error> {
        let client = &self.client.0;
        let body = json!({ "client_id": client.client_id, "client_secret": client.client_secret.expose() });
        self.once(&["credentials", "rotate"], Some(body)).await?.json()
    }

    /// `POST …/credentials/revoke`: revokes another access token of the installation than the one of this value.
    pub async fn revoke_access_token(&self, old: &Secret) -> Result<Revocation, Error> {
        let client = &self.client.0;
        let body = json!({
            "token": old.expose(),
            "client_id": client.client_id,
            "client_secret": client.client_secret.expose(),
        });
        self.repeatable(reqwest::Method::POST, &["credentials", "revoke"], Some(body)).await?.json()
    }
}
