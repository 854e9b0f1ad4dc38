//! Replies of a listener. A reply that no marketplace accepts cannot be expressed.

use std::fmt;

use serde_json::Value;

use crate::config_vars::ConfigVars;
use crate::ids::ProviderId;
use crate::secret::Secret;

/// Reply to a provision: the resource is ready.
///
/// It always has an id, config values are always text, and the status cannot be chosen:
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
/// let reply = Provisioned::new(641).with_config("LANTERN_SIZE", 3); // marketplaces reject numbers
/// ```
#[derive(Clone, Debug)]
pub struct Provisioned {
    id: ProviderId,
    config: ConfigVars,
    message: Option<String>,
    log_drain_url: Option<Secret>,
}

impl Provisioned {
    /// Creates a reply with the vendor's id; [`request.resource`](crate::Provision::resource) is a good choice.
    pub fn new(id: impl Into<ProviderId>) -> Self {
        Self { id: id.into(), config: ConfigVars::default(), message: None, log_drain_url: None }
    }

    /// Sets a config var of the customer's app. The manifest must list its name.
    #[must_use]
    pub fn with_config(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.config.set(name, value);
        self
    }

    /// Sets a message for the customer, a full sentence.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
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

    /// Returns the config vars.
    #[must_use]
    pub fn config(&self) -> &ConfigVars {
        &self.config
    }

    /// Returns the message for the customer.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the log drain's URL.
    #[must_use]
    pub fn log_drain_url(&self) -> Option<&Secret> {
        self.log_drain_url.as_ref()
    }
}

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
}

impl PlanChanged {
    /// Creates a reply without config vars and message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes a config var. The manifest must list its name.
    #[must_use]
    pub fn with_config(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.config.set(name, value);
        self
    }

    /// Sets a message for the customer, a full sentence.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Returns the config vars.
    #[must_use]
    pub fn config(&self) -> &ConfigVars {
        &self.config
    }

    /// Returns the message for the customer.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// Reply to a deprovision: the resource is permanently removed.
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
    /// Creates a reply without config vars and message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a message for the customer. Heroku does not show it: its 204 has no body.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Returns the message for the customer.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// Reply to a single sign-on: the user is signed in and is redirected.
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
    /// Redirects to a path of this site (`/dashboard`), or to a URL of an origin that was added with
    /// [`Addon::with_redirect_origin`](crate::Addon::with_redirect_origin).
    pub fn redirect(location: impl Into<String>) -> Self {
        Self { location: location.into(), session: Vec::new() }
    }

    /// Adds a value to the user's new session.
    #[must_use]
    pub fn with_session(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.session.push((key.into(), value.into()));
        self
    }

    /// Returns the location.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Returns the values for the session.
    #[must_use]
    pub fn session(&self) -> &[(String, Value)] {
        &self.session
    }

    /// Returns whether the location is a path of this site: one `/`, then neither `/` nor `\`, and no control character.
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
    fn only_paths_of_this_site_are_local() {
        for local in ["/", "/dashboard", "/a//b", "/a?next=https://x", "/ü"] {
            assert!(SignedOn::redirect(local).is_local(), "{local}");
        }
        for remote in
            ["", "dashboard", "//x", "/\\x", "\\/x", "https://x", " /x", "/a\r\nSet-Cookie: b", "/\t/x", "/\u{85}"]
        {
            assert!(!SignedOn::redirect(remote).is_local(), "{remote:?}");
        }
    }
}
