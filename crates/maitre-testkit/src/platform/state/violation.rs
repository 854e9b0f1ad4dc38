use std::fmt;

use time::OffsetDateTime;

/// Violation of Heroku's documents by the vendor.
///
/// ```
/// use maitre_testkit::platform::{Platform, Rule};
/// use std::time::Duration;
///
/// let platform = Platform::new("tally", "password", "client secret");
/// let install = platform.install("basic");
/// platform.clock().advance(Duration::from_mins(6));
///
/// let violations = platform.violations();
/// assert_eq!(violations[0].rule(), Rule::LostGrant);
/// assert_eq!(violations[0].to_string(), format!("{}: its grant expired before it was exchanged", install.name()));
/// ```
#[derive(Clone)]
pub struct Violation {
    pub(crate) at: OffsetDateTime,
    pub(crate) rule: Rule,
    pub(crate) uuid: Option<String>,
    pub(crate) message: String,
}

impl Violation {
    /// Returns the broken rule.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Returns the uuid of the add-on, if the violation concerns one.
    #[must_use]
    pub fn uuid(&self) -> Option<&str> {
        self.uuid.as_deref()
    }

    /// Returns the time, by the platform's clock.
    #[must_use]
    pub fn at(&self) -> OffsetDateTime {
        self.at
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}: {}", self.rule, self.at, self.message)
    }
}

/// Rule for a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// A grant is exchanged before it expires. Otherwise the add-on has no token.
    LostGrant,
    /// A grant is exchanged once. A second attempt is allowed if a [fault](crate::platform::Fault) dropped the
    /// response.
    RepeatedExchange,
    /// Config vars are set before `actions/provision` releases them.
    ConfigMissing,
    /// An add-on whose provision was answered 202 is marked provisioned within twelve hours.
    Unfinished,
    /// Only an add-on that is registered for it answers 202.
    Unregistered202,
    /// No calls are made for an add-on after it is deprovisioned, as far as the vendor can know.
    CallAfterDeprovision,
    /// Names of config vars are those of the manifest, or have its prefix.
    ForeignConfigVar,
    /// The reply to a provision has an `id`.
    NoProviderId,
    /// The `id` of an add-on never changes.
    ChangedProviderId,
    /// `Accept` requests version 3 of the API.
    NotAcceptable,
    /// A request has a `User-Agent`.
    NoUserAgent,
    /// Grants, tokens and the client secret are not sent in the query, which proxies and servers log.
    SecretInQuery,
}
