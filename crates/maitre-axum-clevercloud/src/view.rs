//! Fields of a request that only Clever Cloud sends.

use maitre_axum::core::{Fields, Secret, View};
use serde::Deserialize;

/// Fields of a provision that only Clever Cloud sends. Fields that it did not send are `None`.
///
/// ```
/// use maitre_axum::core::{AddonId, Provision};
/// use maitre_axum_clevercloud::CleverCloudProvision;
///
/// let mut request = Provision::new(AddonId::new("clevercloud", "quince"), "addon_2f6d", "dev");
/// request.details.insert("owner_id", "orga_9e");
/// assert_eq!(request.view::<CleverCloudProvision>()?.owner_id.as_deref(), Some("orga_9e"));
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct CleverCloudProvision {
    /// Id of the organization or user that pays.
    pub owner_id: Option<String>,
    /// Name of the organization.
    pub owner_name: Option<String>,
    /// Id of the user who ordered.
    pub user_id: Option<String>,
    /// URL of the resource in Clever Cloud's API, valid once the provision was answered.
    pub callback_url: Option<Secret>,
    /// Log token; deprecated.
    pub logplex_token: Option<Secret>,
    /// All undocumented fields, unchanged.
    #[serde(flatten)]
    pub extra: Fields,
}

impl View for CleverCloudProvision {
    const MARKETPLACE: &'static str = "clevercloud";
}
