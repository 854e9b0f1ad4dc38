//! What comes of a check.

use std::fmt;
use std::time::Duration;

/// What comes of a check, inside.
pub(crate) type Verdict = Result<(), Stop>;

/// Why a check ended before its end.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    Failed(Fault),
    Skipped(String),
}

/// What is wrong, before it is known which exchanges led to it.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) why: String,
    pub(crate) advice: String,
    /// The number of the exchange that shows it.
    pub(crate) exchange: Option<usize>,
}

impl Stop {
    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }

    /// A fault that no single exchange shows.
    pub(crate) fn fault(why: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Failed(Fault { why: why.into(), advice: advice.into(), exchange: None })
    }
}

/// One request and what came back, as text. Credentials, tokens, config values, cookies and grants are masked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// Method and URL.
    pub line: String,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// How long it took.
    pub took: Duration,
    /// The whole of it: lines that begin with `>` were sent, those with `<` came back.
    pub text: String,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is wrong, how it was found and what to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// What the add-on did and why that is wrong.
    pub why: String,
    /// What to do.
    pub advice: String,
    /// All that was sent for this check and came back, in its order.
    pub exchanges: Vec<Exchange>,
    /// Which of them shows it.
    pub shown_by: Option<usize>,
}

impl Failure {
    /// The exchange that shows the fault.
    #[must_use]
    pub fn exchange(&self) -> Option<&Exchange> {
        self.exchanges.get(self.shown_by?)
    }
}

/// What came of a check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// The add-on does it.
    Passed,
    /// It does not.
    Failed(Failure),
    /// It was not tried, for this reason.
    Skipped(String),
}

impl Outcome {
    /// Whether it failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}
