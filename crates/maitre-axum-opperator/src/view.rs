//! Fields of a request that only Opperator sends.

use maitre_axum::core::{Fields, View};
use serde::Deserialize;

/// Fields of a provision or plan change that only Opperator sends.
///
/// ```
/// use maitre_axum::core::{AddonId, Provision};
/// use maitre_axum_opperator::OpperatorProvision;
///
/// let mut request = Provision::new(AddonId::new("opperator", "lantern"), "1", "premium");
/// request.details.insert("features", serde_json::json!({ "seats": 5 }));
/// assert_eq!(request.view::<OpperatorProvision>()?.features.get("seats"), Some(&5.into()));
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct OpperatorProvision {
    /// Features that Opperator sends instead of a plan.
    #[serde(default)]
    pub features: Fields,
    /// All undocumented fields, unchanged.
    #[serde(flatten)]
    pub extra: Fields,
}

impl View for OpperatorProvision {
    const MARKETPLACE: &'static str = "opperator";
}
