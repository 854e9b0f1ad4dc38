//! What a listener can answer. What a marketplace would not accept has no way to be said.

use std::fmt;

use crate::secret::Secret;
use serde_json::Value;

use crate::requests::ResourceId;

/// The vendor's own name for a resource: unique, and the same for the resource's whole life.
///
/// Made from text or a whole number; the number is sent as text.
///
/// ```
/// use maitre_core::ProviderId;
///
/// assert_eq!(ProviderId::from(4711).as_str(), "4711");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProviderId(String);

impl ProviderId {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ProviderId {
    fn from(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl From<String> for ProviderId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl From<ResourceId> for ProviderId {
    fn from(id: ResourceId) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl From<&ResourceId> for ProviderId {
    fn from(id: &ResourceId) -> Self {
        Self(id.as_str().to_owned())
    }
}

impl From<i32> for ProviderId {
    fn from(id: i32) -> Self {
        Self(id.to_string())
    }
}

impl From<i64> for ProviderId {
    fn from(id: i64) -> Self {
        Self(id.to_string())
    }
}

impl From<u64> for ProviderId {
    fn from(id: u64) -> Self {
        Self(id.to_string())
    }
}

/// Config vars in the order in which they were set, each name once. Values are secret.
///
/// ```
/// use maitre_core::ConfigVars;
///
/// let mut config = ConfigVars::default();
/// config.set("LANTERN_URL", "https://u4:pw@eu1.lantern.example/t4");
/// assert_eq!(format!("{config:?}"), r#"{"LANTERN_URL"}"#);
/// let (name, value) = config.iter().next().unwrap();
/// assert_eq!((name, value.expose()), ("LANTERN_URL", "https://u4:pw@eu1.lantern.example/t4"));
/// ```
#[derive(Clone, Default)]
pub struct ConfigVars(Vec<(String, Secret)>);

impl ConfigVars {
    /// Sets a var; a name that is there keeps its place and gets the new value.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Secret>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(there, _)| *there == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Names and values in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether no var was set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for ConfigVars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// The resource is there and ready.
///
/// It always has an id, config values are always text, and no status can be chosen:
///
/// ```
/// use maitre_core::Provisioned;
///
/// let reply = Provisioned::new(641)
///     .with_config("LANTERN_URL", "https://u4:pw@eu1.lantern.example/t4")
///     .with_message("Lantern basic is ready.");
/// assert_eq!(reply.id().as_str(), "641");
/// assert!(!format!("{reply:?}").contains("pw"));
/// ```
///
/// ```compile_fail
/// # use maitre_core::Provisioned;
/// let reply = Provisioned::new(641).with_config("LANTERN_SIZE", 3); // a marketplace refuses numbers
/// ```
#[derive(Clone, Debug)]
pub struct Provisioned {
    id: ProviderId,
    config: ConfigVars,
    message: Option<String>,
    log_drain_url: Option<Secret>,
}

impl Provisioned {
    /// Ready under the vendor's own name; [`request.resource`](crate::Provision::resource) is a good one.
    pub fn new(id: impl Into<ProviderId>) -> Self {
        Self { id: id.into(), config: ConfigVars::default(), message: None, log_drain_url: None }
    }

    /// Gives the customer's app a config var; the manifest must list its name.
    #[must_use]
    pub fn with_config(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.config.set(name, value);
        self
    }

    /// A sentence for the customer.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Where the customer's log lines shall be sent, `https://…`; needed if the manifest requires `syslog_drain`.
    #[must_use]
    pub fn with_log_drain_url(mut self, url: impl Into<Secret>) -> Self {
        self.log_drain_url = Some(url.into());
        self
    }

    /// The same under another name.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<ProviderId>) -> Self {
        self.id = id.into();
        self
    }

    /// The vendor's name of the resource.
    #[must_use]
    pub fn id(&self) -> &ProviderId {
        &self.id
    }

    /// The config vars.
    #[must_use]
    pub fn config(&self) -> &ConfigVars {
        &self.config
    }

    /// The sentence for the customer.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The drain's URL.
    #[must_use]
    pub fn log_drain_url(&self) -> Option<&Secret> {
        self.log_drain_url.as_ref()
    }
}

/// The resource has the new plan. Vars that are not named stay as they are.
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
}

impl PlanChanged {
    /// Done, with nothing to say.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes a config var; the manifest must list its name.
    #[must_use]
    pub fn with_config(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.config.set(name, value);
        self
    }

    /// A sentence for the customer.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The config vars.
    #[must_use]
    pub fn config(&self) -> &ConfigVars {
        &self.config
    }

    /// The sentence for the customer.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// The resource is removed for good.
///
/// ```
/// use maitre_core::Deprovisioned;
///
/// assert_eq!(Deprovisioned::new().message(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Deprovisioned {
    message: Option<String>,
}

impl Deprovisioned {
    /// Done, with nothing to say.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A sentence for the customer. Heroku has no place for it: its 204 carries no body.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The sentence for the customer.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// The person is signed in and goes on to a page of this site.
///
/// ```
/// use maitre_core::SignedOn;
///
/// let reply = SignedOn::redirect("/dashboard").with_session("widget_id", 641);
/// assert_eq!(reply.location(), "/dashboard");
/// assert!(reply.is_local());
/// assert!(!SignedOn::redirect("//elsewhere.example").is_local());
/// ```
#[derive(Clone)]
pub struct SignedOn {
    location: String,
    session: Vec<(String, Value)>,
}

impl SignedOn {
    /// Where to: a path on this site (`/dashboard`), or a URL of an origin that the
    /// [`Addon`](crate::Addon::with_redirect_origin) lists.
    pub fn redirect(location: impl Into<String>) -> Self {
        Self { location: location.into(), session: Vec::new() }
    }

    /// Puts a value into the person's fresh session.
    #[must_use]
    pub fn with_session(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.session.push((key.into(), value.into()));
        self
    }

    /// Where to.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The values for the session.
    #[must_use]
    pub fn session(&self) -> &[(String, Value)] {
        &self.session
    }

    /// Whether the location is a path of this site: one `/`, then neither `/` nor `\`, and no control character.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let mut chars = self.location.chars();
        chars.next() == Some('/')
            && !matches!(chars.next(), Some('/' | '\\'))
            && !self.location.contains(char::is_control)
    }
}

impl fmt::Debug for SignedOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.session.iter().map(|(key, _)| key).collect();
        f.debug_struct("SignedOn").field("location", &self.location).field("session", &keys).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_var_set_twice_keeps_its_place() {
        let reply = Provisioned::new("1").with_config("A", "1").with_config("B", "2").with_config("A", "3");
        let names: Vec<_> = reply.config().iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["A", "B"]);
    }

    #[test]
    fn only_plain_paths_lead_here() {
        for here in ["/", "/dashboard", "/a//b", "/a?next=https://x", "/ü"] {
            assert!(SignedOn::redirect(here).is_local(), "{here}");
        }
        for away in
            ["", "dashboard", "//x", "/\\x", "\\/x", "https://x", " /x", "/a\r\nSet-Cookie: b", "/\t/x", "/\u{85}"]
        {
            assert!(!SignedOn::redirect(away).is_local(), "{away:?}");
        }
    }
}
