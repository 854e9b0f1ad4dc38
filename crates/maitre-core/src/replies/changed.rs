//! Replies to changes of a resource.

use crate::config_vars::ConfigVars;

use super::accessors::accessors;
use super::customer_notice::CustomerNotice;

/// Reply to a plan change: the resource has the new plan. Config vars that are not set stay unchanged.
///
/// ```
/// use maitre_core::PlanChanged;
///
/// let reply = PlanChanged::new().with_message("Now on premium.");
/// assert_eq!(reply.message(), Some("Now on premium."));
/// assert!(reply.config().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct PlanChanged {
    config: ConfigVars,
    message: Option<String>,
    dashboard_url: Option<String>,
    notice: Option<CustomerNotice>,
}

accessors!(PlanChanged: config message dashboard_url notice);

impl PlanChanged {
    /// Creates a reply that changes no config var.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// Reply to an update: the resource has the new parameters. Config vars that are not set stay unchanged.
///
/// ```
/// use maitre_core::Updated;
///
/// let reply = Updated::new().with_config("LANTERN_RETENTION", "30d");
/// assert_eq!(reply.config().iter().len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Updated {
    config: ConfigVars,
    message: Option<String>,
    dashboard_url: Option<String>,
    notice: Option<CustomerNotice>,
}

accessors!(Updated: config message dashboard_url notice);

impl Updated {
    /// Creates a reply that changes no config var.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// Reply to a rotation: these config vars have new values. Config vars that are not set stay unchanged.
///
/// ```
/// use maitre_core::Rotated;
///
/// let reply = Rotated::new().with_config("LANTERN_KEY", "k-2");
/// assert!(!format!("{reply:?}").contains("k-2"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rotated {
    config: ConfigVars,
    message: Option<String>,
}

accessors!(Rotated: config message);

impl Rotated {
    /// Creates a reply without config vars.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}
