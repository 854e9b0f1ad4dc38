//! Arguments of commands that call an add-on without a manifest.

use anyhow::Context as _;
use clap::Args;

/// Credentials of the add-on, for marketplaces without a manifest.
#[derive(Args)]
pub(crate) struct CredentialArgs {
    /// User that a service broker or an add-on for QuickNode accepts
    #[arg(long, value_name = "NAME", env = "MAITRE_USER")]
    user: Option<String>,

    /// Password that a service broker or an add-on for QuickNode accepts
    #[arg(long, value_name = "SECRET", env = "MAITRE_PASSWORD", hide_env_values = true)]
    password: Option<String>,

    /// JWT secret of the vendor at QuickNode
    #[arg(long, value_name = "SECRET", env = "MAITRE_JWT_SECRET", hide_env_values = true)]
    jwt_secret: Option<String>,

    /// Id of the integration at Vercel, also called client id, such as oac_…
    #[arg(long, value_name = "ID", env = "MAITRE_INTEGRATION")]
    integration: Option<String>,

    /// Slug of the product at Vercel
    #[arg(long, value_name = "SLUG", env = "MAITRE_PRODUCT")]
    product: Option<String>,
}

impl CredentialArgs {
    /// Returns user and password.
    pub(crate) fn basic(&self) -> anyhow::Result<(&str, &str)> {
        let both = self.user.as_deref().zip(self.password.as_deref());
        both.context("the add-on has Basic credentials: pass --user and --password, or set MAITRE_PASSWORD")
    }

    /// Returns the integration's id and the product's slug.
    pub(crate) fn integration(&self) -> anyhow::Result<(&str, &str)> {
        let both = self.integration.as_deref().zip(self.product.as_deref());
        both.context("Vercel names an integration and its product: pass --integration oac_… and --product SLUG")
    }

    /// Returns the JWT secret.
    pub(crate) fn jwt_secret(&self) -> anyhow::Result<&str> {
        self.jwt_secret.as_deref().context("sign-on links have a JWT: pass --jwt-secret, or set MAITRE_JWT_SECRET")
    }
}
