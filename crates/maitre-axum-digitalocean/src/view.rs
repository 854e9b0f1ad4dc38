//! Fields of a request that only DigitalOcean sends.

use maitre_axum::core::{Fields, View};
use serde::Deserialize;

/// Fields of a provision that only DigitalOcean sends. Fields that it did not send are `None`.
///
/// ```
/// use maitre_axum::core::{AddonId, Provision};
/// use maitre_axum_digitalocean::DigitalOceanProvision;
///
/// let mut request = Provision::new(AddonId::new("digitalocean", "tamarind"), "0f6a2c3e", "duo");
/// request.details.insert("creator_id", "team-zz91");
/// assert_eq!(request.view::<DigitalOceanProvision>()?.creator_id.as_deref(), Some("team-zz91"));
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct DigitalOceanProvision {
    /// The app's slug: one endpoint may serve several apps.
    pub app_slug: Option<String>,
    /// Forwarding address, not the customer's own.
    pub email: Option<String>,
    /// Id of the team, the same for all of its resources.
    pub creator_id: Option<String>,
    /// All undocumented fields, unchanged.
    #[serde(flatten)]
    pub extra: Fields,
}

impl View for DigitalOceanProvision {
    const MARKETPLACE: &'static str = "digitalocean";
}
