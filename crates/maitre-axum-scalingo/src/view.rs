//! Fields of a request that only Scalingo sends.

use maitre_axum::core::{Fields, View};
use serde::Deserialize;

/// Fields of a provision that only Scalingo sends.
///
/// ```
/// use maitre_axum::core::{AddonId, Provision};
/// use maitre_axum_scalingo::ScalingoProvision;
///
/// let mut request = Provision::new(AddonId::new("scalingo", "lychee"), "ad-0b1c", "small");
/// request.details.insert("app_id", "66c0ffee");
/// assert_eq!(request.view::<ScalingoProvision>()?.app_id.as_deref(), Some("66c0ffee"));
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ScalingoProvision {
    /// Id of the customer's app, for later changes of its config vars.
    pub app_id: Option<String>,
    /// All undocumented fields, unchanged.
    #[serde(flatten)]
    pub extra: Fields,
}

impl View for ScalingoProvision {
    const MARKETPLACE: &'static str = "scalingo";
}
