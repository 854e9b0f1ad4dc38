//! Reply to a bind.

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::config_vars::ConfigVars;
use crate::fields::Fields;
use crate::secret::Secret;

/// Reply to a bind: the credentials of one app.
///
/// ```
/// use maitre_core::{Bound, Endpoint};
///
/// let reply = Bound::new()
///     .with_credential("url", "https://u4:pw@eu1.lantern.example/t4")
///     .with_endpoint(Endpoint::new("eu1.lantern.example", ["443"]));
/// assert_eq!(reply.credentials().text("url"), Some("https://u4:pw@eu1.lantern.example/t4"));
/// assert!(!format!("{reply:?}").contains("pw"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Bound {
    credentials: Fields,
    endpoints: Vec<Endpoint>,
    syslog_drain_url: Option<Secret>,
    route_service_url: Option<Secret>,
    volume_mounts: Vec<Fields>,
    expires_at: Option<OffsetDateTime>,
    renew_before: Option<OffsetDateTime>,
}

impl Bound {
    /// Creates a reply without credentials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a credential: any JSON value.
    #[must_use]
    pub fn with_credential(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.credentials.insert(name, value);
        self
    }

    /// Adds a network endpoint that the app connects to.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Sets the URL that receives the app's log lines, for services whose catalog requires `syslog_drain`.
    #[must_use]
    pub fn with_syslog_drain_url(mut self, url: impl Into<Secret>) -> Self {
        self.syslog_drain_url = Some(url.into());
        self
    }

    /// Sets the URL that the app's requests pass through, for services whose catalog requires `route_forwarding`.
    #[must_use]
    pub fn with_route_service_url(mut self, url: impl Into<Secret>) -> Self {
        self.route_service_url = Some(url.into());
        self
    }

    /// Adds a volume, as described by Open Service Broker, for services whose catalog requires `volume_mount`.
    #[must_use]
    pub fn with_volume_mount(mut self, mount: impl Into<Fields>) -> Self {
        self.volume_mounts.push(mount.into());
        self
    }

    /// Sets the time at which the credentials end.
    #[must_use]
    pub fn with_expires_at(mut self, time: OffsetDateTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// Sets the time before which the marketplace replaces the binding.
    #[must_use]
    pub fn with_renew_before(mut self, time: OffsetDateTime) -> Self {
        self.renew_before = Some(time);
        self
    }

    /// Returns the credentials.
    #[must_use]
    pub fn credentials(&self) -> &Fields {
        &self.credentials
    }

    /// Returns the network endpoints.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Returns the URL that receives the app's log lines.
    #[must_use]
    pub fn syslog_drain_url(&self) -> Option<&Secret> {
        self.syslog_drain_url.as_ref()
    }

    /// Returns the URL that the app's requests pass through.
    #[must_use]
    pub fn route_service_url(&self) -> Option<&Secret> {
        self.route_service_url.as_ref()
    }

    /// Returns the volumes.
    #[must_use]
    pub fn volume_mounts(&self) -> &[Fields] {
        &self.volume_mounts
    }

    /// Returns the time at which the credentials end.
    #[must_use]
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.expires_at
    }

    /// Returns the time before which the marketplace replaces the binding.
    #[must_use]
    pub fn renew_before(&self) -> Option<OffsetDateTime> {
        self.renew_before
    }
}

/// The config vars as credentials.
///
/// ```
/// use maitre_core::{Bound, ConfigVars};
///
/// let config: ConfigVars = [("LANTERN_KEY", "k-1")].into_iter().collect();
/// assert_eq!(Bound::from(&config).credentials().text("LANTERN_KEY"), Some("k-1"));
/// ```
impl From<&ConfigVars> for Bound {
    fn from(config: &ConfigVars) -> Self {
        let credentials = config.iter().map(|(name, value)| (name, value.expose()));
        Self { credentials: credentials.collect(), ..Self::default() }
    }
}

/// Network endpoint that an app connects to, so that the marketplace can open its firewall.
///
/// ```
/// use maitre_core::Endpoint;
///
/// let endpoint = Endpoint::new("eu1.lantern.example", ["443", "9000-9010"]).with_protocol("udp");
/// assert_eq!(endpoint.ports().len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    host: String,
    ports: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<String>,
}

impl Endpoint {
    /// Creates an endpoint from a host name or address and its ports, each a number or a range (`9000-9010`).
    pub fn new<P: Into<String>>(host: impl Into<String>, ports: impl IntoIterator<Item = P>) -> Self {
        Self { host: host.into(), ports: ports.into_iter().map(Into::into).collect(), protocol: None }
    }

    /// Sets the protocol: `tcp`, `udp` or `all`. Defaults to `tcp`.
    #[must_use]
    pub fn with_protocol(mut self, protocol: impl Into<String>) -> Self {
        self.protocol = Some(protocol.into());
        self
    }

    /// Returns the host name or address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the ports.
    #[must_use]
    pub fn ports(&self) -> &[String] {
        &self.ports
    }

    /// Returns the protocol, if it was set.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }
}
