//! Checks as data, and the code that runs them.

use std::fmt;
use std::pin::Pin;

use crate::level::Level;
use crate::verdict::Verdict;

/// One rule of a marketplace's contract.
///
/// ```
/// use maitre_conformance::{Level, Marketplace, checks};
///
/// let check = checks(Marketplace::Heroku).find(|check| check.id == "heroku.idempotency.same-uuid-again").unwrap();
/// assert_eq!(check.level, Level::Must);
/// assert_eq!(check.citation.source.to_string(), "Dev Center: add-on-partner-api-reference");
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// Stable id: `heroku.idempotency.same-uuid-again`. The part before the last dot is its group.
    pub id: &'static str,
    /// Behavior of a conformant add-on, in one sentence.
    pub requirement: &'static str,
    /// Source of the rule.
    pub citation: Citation,
    /// Severity: required by the marketplace ([`Level::Must`]), recommended ([`Level::Should`]) or informational
    /// ([`Level::Info`]).
    pub level: Level,
    /// Capabilities of the add-on or of the run without which the check is skipped.
    pub needs: &'static [Capability],
    /// Whether the check waits for time to pass. Slow checks only run on request.
    pub slow: bool,
}

impl Check {
    /// Returns the id without its last part: `heroku.idempotency`.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.id.rsplit_once('.').map_or(self.id, |(group, _)| group)
    }
}

/// Source of a rule, with a summary of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Citation {
    /// The document.
    pub source: Source,
    /// Summary of the rule in the document.
    pub summary: &'static str,
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.summary)
    }
}

/// Document that a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A document of the marketplace, or of the standard that it follows: name, version and section.
    Document(&'static str),
    /// An article of Heroku's Dev Center, by the last part of its address.
    DevCenter(&'static str),
    /// A public repository of the marketplace or of its vendors: a conformance tool, a sample, an add-on.
    Code(&'static str),
    /// An RFC.
    Rfc(u16),
    /// No document of the marketplace, only experience.
    Practice,
}

/// Code that the marketplaces themselves publish: checkers, sample vendors and kits.
const OFFICIAL: [&str; 8] = [
    "heroku/kensa",
    "marketplace-eng/sample_golang_app",
    "quiknode-labs/qn-marketplace-cli",
    "CleverCloud/addon-provider-template",
    "CleverCloud/clevercloud-provider-go",
    "Scalingo/ruby-addon-provider-boilerplate",
    "Scalingo/scalingo-addon-api-tester",
    "vercel/example-marketplace-integration",
];

impl Source {
    /// Returns whether the source is the marketplace itself. Only such a rule may have [`Level::Must`].
    #[must_use]
    pub fn is_normative(&self) -> bool {
        match self {
            Self::Document(_) | Self::DevCenter(_) => true,
            Self::Code(name) => OFFICIAL.contains(name),
            Self::Rfc(_) | Self::Practice => false,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(name) => f.write_str(name),
            Self::DevCenter(article) => write!(f, "Dev Center: {article}"),
            Self::Code(repository) => write!(f, "code of {repository}"),
            Self::Rfc(number) => write!(f, "RFC {number}"),
            Self::Practice => f.write_str("good practice"),
        }
    }
}

/// Precondition of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// The manifest's text.
    Manifest,
    /// Single sign-on: a salt, and an `sso_url` or a manifest with plain URLs.
    SingleSignOn,
    /// Single sign-on by a form post.
    SignOnForm,
    /// Single sign-on with the tokens of version 3.
    UserToken,
    /// Requests of version 1: a manifest without a version.
    Version1,
    /// Requests of version 3.
    Version3,
    /// Config vars listed in the manifest.
    ConfigVars,
    /// `syslog_drain` in the manifest's `requires`.
    LogDrain,
    /// A second plan to change to.
    SecondPlan,
    /// Plan changes, which an add-on with a single plan need not support.
    PlanChange,
    /// Synchronous provisioning: 200.
    Synchronous,
    /// Asynchronous provisioning: 202, completed later.
    Asynchronous,
    /// A fake platform that the add-on calls.
    Platform,
    /// An `https` address.
    Https,
    /// Permission to call an add-on on another machine, such as in production.
    Remote,
    /// Bindings of the plan to apps.
    Bindings,
    /// A plan whose instances cannot be bound.
    NoBindings,
    /// Asynchronous bindings: 202, completed later.
    AsynchronousBindings,
    /// Reads of single instances.
    FetchInstance,
    /// Reads of single bindings.
    FetchBinding,
    /// A plan with a maintenance version.
    MaintenanceInfo,
    /// A plan that instances cannot be changed from.
    NoPlanChange,
    /// Routes by which the marketplace suspends and reinstates an instance.
    Suspension,
}

/// Future of a running check.
pub(crate) type CheckFuture<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// A check and its implementation; `T` is the add-on under test.
pub(crate) struct Case<T: 'static> {
    pub(crate) check: Check,
    /// Whether the outcome depends on other requests, so that the check does not run concurrently with others.
    pub(crate) is_alone: bool,
    pub(crate) run: for<'a> fn(&'a T) -> CheckFuture<'a>,
}

impl<T> Clone for Case<T> {
    fn clone(&self) -> Self {
        let Self { check, is_alone, run } = self;
        Self { check: *check, is_alone: *is_alone, run: *run }
    }
}

impl<T> Case<T> {
    pub(crate) const fn must(
        id: &'static str,
        requirement: &'static str,
        citation: Citation,
        run: for<'a> fn(&'a T) -> CheckFuture<'a>,
    ) -> Self {
        let check = Check { id, requirement, citation, level: Level::Must, needs: &[], slow: false };
        Self { check, is_alone: false, run }
    }

    pub(crate) const fn should(
        id: &'static str,
        requirement: &'static str,
        citation: Citation,
        run: for<'a> fn(&'a T) -> CheckFuture<'a>,
    ) -> Self {
        let must = Self::must(id, requirement, citation, run);
        Self { check: Check { level: Level::Should, ..must.check }, ..must }
    }

    pub(crate) const fn info(
        id: &'static str,
        requirement: &'static str,
        citation: Citation,
        run: for<'a> fn(&'a T) -> CheckFuture<'a>,
    ) -> Self {
        let must = Self::must(id, requirement, citation, run);
        Self { check: Check { level: Level::Info, ..must.check }, ..must }
    }

    pub(crate) const fn needs(self, needs: &'static [Capability]) -> Self {
        Self { check: Check { needs, ..self.check }, ..self }
    }

    pub(crate) const fn slow(self) -> Self {
        Self { check: Check { slow: true, ..self.check }, ..self }
    }

    /// Lets the check run while no other does.
    pub(crate) const fn alone(self) -> Self {
        Self { is_alone: true, ..self }
    }
}
