//! Reply to a provision.

use std::time::Duration;

use crate::config_vars::ConfigVars;
use crate::ids::ProviderId;
use crate::secret::Secret;

use super::accessors::accessors;
use super::customer_notice::CustomerNotice;

/// Reply to a provision: the resource is ready, unless it is [pending](Self::with_pending).
///
/// It always has an id, and config values are always text:
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
    pending: Option<Duration>,
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
            pending: None,
        }
    }

    /// Sets the URL that receives the customer's log lines (`https://…`). Needed if the manifest requires `syslog_drain`.
    #[must_use]
    pub fn with_log_drain_url(mut self, url: impl Into<Secret>) -> Self {
        self.log_drain_url = Some(url.into());
        self
    }

    /// Marks the resource as not ready yet, although its id and config vars are known. After this time, and again until the
    /// reply is no longer pending, [`Listener::provision`](crate::Listener::provision) is called with the same request, also
    /// by another process; then the marketplace is notified. A refusal means that the resource has failed.
    ///
    /// It needs a ledger, and a marketplace that [shows such resources](crate::Context::shows_pending): Vercel. At others the
    /// provision fails as unavailable, and is retried.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use maitre_core::Provisioned;
    ///
    /// let reply = Provisioned::new(641).with_pending(Duration::from_secs(30));
    /// assert_eq!(reply.pending(), Some(Duration::from_secs(30)));
    /// ```
    #[must_use]
    pub fn with_pending(mut self, check_after: Duration) -> Self {
        self.pending = Some(check_after);
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

    /// Returns the time after which the listener is called again, if the resource is not ready yet.
    #[must_use]
    pub fn pending(&self) -> Option<Duration> {
        self.pending
    }

    /// Returns the log drain's URL.
    #[must_use]
    pub fn log_drain_url(&self) -> Option<&Secret> {
        self.log_drain_url.as_ref()
    }
}
