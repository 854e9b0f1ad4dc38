//! Results of a check.

use std::fmt;
use std::time::Duration;

/// Internal result of a check.
pub(crate) type Verdict = Result<(), Stop>;

/// Reason why a check ended early.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    Failed(Fault),
    Skipped(String),
}

/// Violation of a rule, without the exchanges that led to it.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) advice: String,
    /// Index of the exchange that shows the fault.
    pub(crate) exchange: Option<usize>,
}

impl Stop {
    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }

    /// Creates a fault that no single exchange shows.
    pub(crate) fn fault(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Failed(Fault { message: message.into(), advice: advice.into(), exchange: None })
    }
}

/// Request and response as text. Credentials, tokens, config values, cookies and grants are masked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// Method and URL.
    pub request_line: String,
    /// Status of the response, if there was one.
    pub status: Option<u16>,
    /// Time from the request to the response.
    pub duration: Duration,
    /// Complete exchange: lines that begin with `>` were sent, lines that begin with `<` were received.
    pub text: String,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Details of a failed check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// Observed behavior, and why it is wrong.
    pub message: String,
    /// Suggested fix.
    pub advice: String,
    /// All exchanges of the check, in order.
    pub exchanges: Vec<Exchange>,
    /// Index of the exchange that shows the fault.
    pub evidence: Option<usize>,
}

impl Failure {
    /// Returns the exchange that shows the fault.
    #[must_use]
    pub fn exchange(&self) -> Option<&Exchange> {
        self.exchanges.get(self.evidence?)
    }
}

/// Outcome of a check.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// The add-on meets the requirement.
    Passed,
    /// The add-on violates the requirement.
    Failed(Failure),
    /// The check did not run, for this reason.
    Skipped(String),
}

impl Outcome {
    /// Returns the failure, if the check failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}
