//! Reply to a provision.

use crate::config_vars::ConfigVars;
use crate::ids::ProviderId;
use crate::secret::Secret;

use super::accessors::accessors;
use super::customer_notice::CustomerNotice;

/// Reply to a provision: the resource is ready.
///
/// It always has an id, config values are always text, and the status cannot be chosen:
///
/// ```
/// use maitre_core::Provisioned;
///
/// let reply = Provisioned::new(641)
///     .with_config("LANTERN_URL", "https://u4:pw@eu1.lantern.example/t4")
///     .with_message("Lantern basic is ready.")
///     .with_dashboard_url("https://lantern.example/clusters/641");
/// assert_eq!(reply.id().as_str(), "641");
/// assert!(!format!("{reply:?}").contains("pw"));
/// ```
///
/// ```compile_fail
/// # use maitre_core::Provisioned;
/// let reply = Provisioned::new(641).with_config("LANTERN_SIZE", 3); // marketplaces reject numbers
/// ```
#[derive(Clone, Debug)]
pub struct Provisioned {
    id: ProviderId,
    config: ConfigVars,
    message: Option<String>,
    log_drain_url: Option<Secret>,
    dashboard_url: Option<String>,
    notice: Option<CustomerNotice>,
}

accessors!(Provisioned: config message dashboard_url notice);

impl Provisioned {
    /// Creates a reply with the vendor's id; [`request.resource`](crate::Provision::resource) is a good choice.
    pub fn new(id: impl Into<ProviderId>) -> Self {
        Self {
            id: id.into(),
            config: ConfigVars::default(),
            message: None,
            log_drain_url: None,
            dashboard_url: None,
            notice: None,
        }
    }

    /// Sets the URL that receives the customer's log lines (`https://…`). Needed if the manifest requires `syslog_drain`.
    #[must_use]
    pub fn with_log_drain_url(mut self, url: impl Into<Secret>) -> Self {
        self.log_drain_url = Some(url.into());
        self
    }

    /// Replaces the id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<ProviderId>) -> Self {
        self.id = id.into();
        self
    }

    /// Returns the vendor's id of the resource.
    #[must_use]
    pub fn id(&self) -> &ProviderId {
        &self.id
    }

    /// Returns the log drain's URL.
    #[must_use]
    pub fn log_drain_url(&self) -> Option<&Secret> {
        self.log_drain_url.as_ref()
    }
}
