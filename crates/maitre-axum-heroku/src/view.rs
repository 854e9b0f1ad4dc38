//! Fields of a request that only Heroku sends.

use maitre_axum::core::{Fields, Secret, View};
use serde::Deserialize;

/// Fields of a provision that only Heroku sends. Fields that it did not send are `None`.
///
/// ```
/// use maitre_axum::core::{AddonId, Provision};
/// use maitre_axum_heroku::HerokuProvision;
///
/// let mut request = Provision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "basic");
/// request.details.insert("log_drain_token", "d.1");
/// let heroku = request.view::<HerokuProvision>()?;
/// assert_eq!(heroku.log_drain_token.as_ref().map(|token| token.expose()), Some("d.1"));
/// assert!(!format!("{heroku:?}").contains("d.1"));
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct HerokuProvision {
    /// URL of the resource in Heroku's API.
    pub callback_url: Option<Secret>,
    /// URL that accepts lines for the customer's log (manifest: `requires` has `log_input`).
    pub log_input_url: Option<Secret>,
    /// Identifies the app in the log lines that it sends (manifest: `requires` has `syslog_drain`).
    pub log_drain_token: Option<Secret>,
    /// The customer's app, in version 1 of the API.
    pub heroku_id: Option<String>,
    /// Log token of version 1 of the API.
    pub logplex_token: Option<Secret>,
    /// All undocumented fields, unchanged.
    #[serde(flatten)]
    pub extra: Fields,
}

impl View for HerokuProvision {
    const MARKETPLACE: &'static str = "heroku";
}

/// Fields of a plan change that only Heroku sends.
///
/// ```
/// use maitre_axum::core::{AddonId, PlanChange};
/// use maitre_axum_heroku::HerokuPlanChange;
///
/// let request = PlanChange::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "premium");
/// assert_eq!(request.view::<HerokuPlanChange>()?.heroku_id, None);
/// # Ok::<(), maitre_axum::core::ViewError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct HerokuPlanChange {
    /// The customer's app, in version 1 of the API.
    pub heroku_id: Option<String>,
    /// All other fields. A `uuid` here has no meaning: older checkers send a random one.
    #[serde(flatten)]
    pub extra: Fields,
}

impl View for HerokuPlanChange {
    const MARKETPLACE: &'static str = "heroku";
}
