//! What a check is: a rule of a marketplace as a value, and the code that tries it.

use std::fmt;
use std::pin::Pin;

pub use maitre_core::manifest::Level;

use crate::verdict::Verdict;

/// One rule that is tried: what it demands, where that stands and how much it weighs.
///
/// ```
/// use maitre_conformance::{Level, Marketplace};
///
/// let check = Marketplace::Heroku.checks().find(|check| check.id == "heroku.idempotency.same-uuid-again").unwrap();
/// assert_eq!(check.level, Level::Must);
/// assert_eq!(check.clause.source.to_string(), "Dev Center: add-on-partner-api-reference");
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// Its name, which stays what it is: `heroku.idempotency.same-uuid-again`. The part before the last dot is its
    /// group.
    pub id: &'static str,
    /// What a good add-on does, in one sentence.
    pub sentence: &'static str,
    /// Where that is written.
    pub clause: Clause,
    /// Whether the marketplace demands it ([`Level::Must`]), somebody will miss it ([`Level::Should`]) or it is good to
    /// know ([`Level::Info`]).
    pub level: Level,
    /// What the add-on, or who starts the check, has to have for it to be tried; without it the check is skipped.
    pub needs: &'static [Capability],
    /// Whether it waits for time to pass; such a check is only tried when it is asked for.
    pub slow: bool,
}

impl Check {
    /// The id without its last part: `heroku.idempotency`.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.id.rsplit_once('.').map_or(self.id, |(group, _)| group)
    }
}

/// Where a rule stands, and what it says there in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Clause {
    /// The document.
    pub source: Source,
    /// The rule in the fewest words.
    pub says: &'static str,
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.says)
    }
}

/// A document that rules come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// An article of Heroku's Dev Center, by the last part of its address.
    DevCenter(&'static str),
    /// A public repository of the marketplace, or one that talks to it: a conformance tool, a sample, a vendor's code.
    Code(&'static str),
    /// A page of a marketplace that is no longer there.
    Archive(&'static str),
    /// An RFC.
    Rfc(u16),
    /// No text of the marketplace: what experience asks for.
    Practice,
}

impl Source {
    /// Whether the marketplace itself says so: only then may a check be a must.
    #[must_use]
    pub fn is_the_marketplaces(&self) -> bool {
        match self {
            Self::DevCenter(_) | Self::Archive(_) => true,
            // Heroku's own checker, the sample providers of cloudControl, the one implementation of Opperator
            Self::Code(name) => {
                ["heroku/kensa", "cloudControl/provisional", "cloudControl/provisional-python", "maitre_d"]
                    .contains(name)
            }
            Self::Rfc(_) | Self::Practice => false,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DevCenter(article) => write!(f, "Dev Center: {article}"),
            Self::Code(repository) => write!(f, "code of {repository}"),
            Self::Archive(page) => write!(f, "archived page: {page}"),
            Self::Rfc(number) => write!(f, "RFC {number}"),
            Self::Practice => f.write_str("good practice"),
        }
    }
}

/// What not every add-on has and not every run knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// The manifest's text.
    Manifest,
    /// Single sign-on by a form post: a salt, and an `sso_url`.
    SingleSignOn,
    /// Config vars that the manifest lists.
    ConfigVars,
    /// `syslog_drain` among the manifest's `requires`.
    LogDrain,
    /// A second plan to change to.
    SecondPlan,
    /// Plan changes, which an add-on that sells one plan need not have.
    PlanChange,
    /// A provision that is answered when it is done: 200.
    AnswersWhenDone,
    /// A provision that is accepted and done later: 202.
    AnswersLater,
    /// An add-on that calls the platform which the check plays.
    Platform,
    /// An `https` address.
    Https,
}

/// What running a check leads to.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// A check with its code; `S` is the add-on under test, as one marketplace meets it.
pub(crate) struct Case<S: 'static> {
    pub(crate) check: Check,
    pub(crate) run: for<'a> fn(&'a S) -> Running<'a>,
}

impl<S> Case<S> {
    pub(crate) const fn must(
        id: &'static str,
        sentence: &'static str,
        clause: Clause,
        run: for<'a> fn(&'a S) -> Running<'a>,
    ) -> Self {
        Self { check: Check { id, sentence, clause, level: Level::Must, needs: &[], slow: false }, run }
    }

    pub(crate) const fn should(
        id: &'static str,
        sentence: &'static str,
        clause: Clause,
        run: for<'a> fn(&'a S) -> Running<'a>,
    ) -> Self {
        let must = Self::must(id, sentence, clause, run);
        Self { check: Check { level: Level::Should, ..must.check }, run }
    }

    pub(crate) const fn info(
        id: &'static str,
        sentence: &'static str,
        clause: Clause,
        run: for<'a> fn(&'a S) -> Running<'a>,
    ) -> Self {
        let must = Self::must(id, sentence, clause, run);
        Self { check: Check { level: Level::Info, ..must.check }, run }
    }

    pub(crate) const fn needs(self, needs: &'static [Capability]) -> Self {
        Self { check: Check { needs, ..self.check }, run: self.run }
    }

    pub(crate) const fn slow(self) -> Self {
        Self { check: Check { slow: true, ..self.check }, run: self.run }
    }
}
