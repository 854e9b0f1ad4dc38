//! Fields of requests that only Vercel sends.

use maitre_axum::core::{Fields, View};
use serde::Deserialize;

/// Fields of a provision that only Vercel sends.
///
/// ```
/// use maitre_axum::core::{AddonId, Provision};
/// use maitre_axum_vercel::VercelProvision;
///
/// let mut request = Provision::new(AddonId::new("vercel", "oac_lantern"), "7b0c9c1e", "basic");
/// request.details.insert("externalId", "template-1");
/// assert_eq!(request.view::<VercelProvision>()?.external_id.as_deref(), Some("template-1"));
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct VercelProvision {
    /// The product, as Vercel names it.
    #[serde(rename = "productId")]
    pub product_id: Option<String>,
    /// Mark of the source, such as a Deploy Button.
    #[serde(rename = "externalId")]
    pub external_id: Option<String>,
    /// Settings of protocols, such as experimentation.
    #[serde(rename = "protocolSettings")]
    pub protocol_settings: Option<Fields>,
    /// The user who caused the request.
    pub user_id: Option<String>,
    /// Email address of the user.
    pub user_email: Option<String>,
    /// The user's team.
    pub team_id: Option<String>,
}

impl View for VercelProvision {
    const MARKETPLACE: &'static str = "vercel";
}

/// Fields of an installation.
///
/// ```
/// use maitre_axum::core::{AddonId, OpenAccount};
/// use maitre_axum_vercel::VercelInstallation;
///
/// let mut request = OpenAccount::new(AddonId::new("vercel", "oac_lantern"), "icfg_1");
/// request.details.insert("account", serde_json::json!({ "url": "https://vercel.com/example-org" }));
/// let installation = request.view::<VercelInstallation>()?;
/// assert_eq!(installation.account.unwrap().url.as_deref(), Some("https://vercel.com/example-org"));
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct VercelInstallation {
    /// Scopes of the installation's token.
    pub scopes: Vec<String>,
    /// Ids of the vendor's policies, each with the time at which it was accepted.
    #[serde(rename = "acceptedPolicies")]
    pub accepted_policies: Fields,
    /// The team: its name, page and contact. Vercel's example does not send it.
    pub account: Option<VercelTeam>,
    /// Name of the installation's plan, if the catalog has plans of installations.
    pub billing_plan_id: Option<String>,
    /// The user who has installed it.
    pub user_id: Option<String>,
    /// The user's team.
    pub team_id: Option<String>,
}

impl View for VercelInstallation {
    const MARKETPLACE: &'static str = "vercel";
}

/// A team of Vercel.
#[derive(Clone, Default, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct VercelTeam {
    /// Display name.
    pub name: Option<String>,
    /// The team's page.
    pub url: Option<String>,
    /// Contact, with `email` and perhaps `name`.
    pub contact: Fields,
}

/// Prints no personal data.
impl std::fmt::Debug for VercelTeam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VercelTeam").field("url", &self.url).finish_non_exhaustive()
    }
}
