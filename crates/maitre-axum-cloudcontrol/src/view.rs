//! Fields of a request that only cloudControl sends.

use maitre_axum::core::{Fields, Secret, View};
use serde::Deserialize;

/// Fields of a provision that only cloudControl sends.
///
/// ```
/// use maitre_axum::core::{AddonId, Provision};
/// use maitre_axum_cloudcontrol::CloudControlProvision;
///
/// let mut request = Provision::new(AddonId::new("cloudcontrol", "papaya"), "1", "basic");
/// request.details.insert("cloudcontrol_id", "dep1@cloudcontrolled.com");
/// assert_eq!(request.view::<CloudControlProvision>()?.cloudcontrol_id.as_deref(), Some("dep1@cloudcontrolled.com"));
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct CloudControlProvision {
    /// The customer's deployment. The checker that cloudControl recommended sends it as `heroku_id`.
    pub cloudcontrol_id: Option<String>,
    /// URL of the resource in cloudControl's API.
    pub callback_url: Option<Secret>,
    /// Token of the customer's log.
    pub logplex_token: Option<Secret>,
    /// All undocumented fields, unchanged.
    #[serde(flatten)]
    pub extra: Fields,
}

impl View for CloudControlProvision {
    const MARKETPLACE: &'static str = "cloudcontrol";
}

/// Fields of a plan change that only cloudControl sends.
///
/// ```
/// use maitre_axum::core::{AddonId, PlanChange};
/// use maitre_axum_cloudcontrol::CloudControlPlanChange;
///
/// let request = PlanChange::new(AddonId::new("cloudcontrol", "papaya"), "1", "premium");
/// assert_eq!(request.view::<CloudControlPlanChange>()?.cloudcontrol_id, None);
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct CloudControlPlanChange {
    /// The customer's deployment.
    pub cloudcontrol_id: Option<String>,
    /// All undocumented fields, unchanged.
    #[serde(flatten)]
    pub extra: Fields,
}

impl View for CloudControlPlanChange {
    const MARKETPLACE: &'static str = "cloudcontrol";
}
