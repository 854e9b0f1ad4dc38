use std::fmt;

use time::OffsetDateTime;

/// One thing that a vendor did against Heroku's documents, as a sentence.
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
    pub(crate) sentence: String,
}

impl Violation {
    /// Which rule was broken.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The uuid of the add-on that it is about, where it is about one.
    #[must_use]
    pub fn uuid(&self) -> Option<&str> {
        self.uuid.as_deref()
    }

    /// When it happened, by the platform's clock.
    #[must_use]
    pub fn at(&self) -> OffsetDateTime {
        self.at
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}: {}", self.rule, self.at, self.sentence)
    }
}

/// What a vendor must keep to when it calls Heroku.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// A grant is exchanged before it expires; it is lost otherwise, and with it the add-on's token.
    LostGrant,
    /// A grant is exchanged once. A second try after an answer that a [fault](crate::platform::Fault) response_dropped is none.
    RepeatedExchange,
    /// Config vars are set before `actions/provision` releases them.
    ConfigMissing,
    /// An add-on whose provision was answered 202 is marked provisioned within twelve hours.
    Unfinished,
    /// Only an add-on that is registered for it answers 202.
    Unregistered202,
    /// Nothing is asked about an add-on after it is deprovisioned, as far as the vendor can know of that.
    CallAfterDeprovision,
    /// Config vars have names of the manifest, with its prefix.
    ForeignConfigVar,
    /// A provision's answer holds an `id`.
    NoProviderId,
    /// An add-on's `id` never changes.
    ChangedProviderId,
    /// `Accept` asks for version 3 of the API.
    NotAcceptable,
    /// A request names its `User-Agent`.
    NoUserAgent,
    /// Grants, tokens and the client secret stay out of the query, which stands in every log on the way.
    SecretInQuery,
}
