//! Response of the add-on, as checks see it.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use maitre_testkit::Reply;
use serde_json::{Map, Value};

use crate::one_of::one_of;
use crate::rules::{self, Problem, ResponseParts};
use crate::verdict::{Fault, Stop};

/// Response with its index in the exchanges of the check.
#[derive(Clone)]
pub(crate) struct Response {
    reply: Reply,
    index: usize,
    duration: Duration,
    request: Option<String>,
}

impl Response {
    pub(crate) fn new(reply: Reply, index: usize, duration: Duration) -> Self {
        Self { reply, index, duration, request: None }
    }

    /// Describes the request for the failure message of a check that sends several: "a body that is not JSON".
    pub(crate) fn to(mut self, request: impl Into<String>) -> Self {
        self.request = Some(request.into());
        self
    }

    pub(crate) fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the parts that the rules inspect.
    pub(crate) fn parts(&self) -> ResponseParts<'_> {
        ResponseParts::new(self.status(), self.header("content-type"), self.body()).to(self.request.as_deref())
    }

    pub(crate) fn is_success(&self) -> bool {
        self.parts().is_success()
    }

    pub(crate) fn is_server_error(&self) -> bool {
        self.status() >= 500
    }

    /// Creates a fault that this exchange shows.
    pub(crate) fn fault(&self, message: impl Into<String>, advice: impl Into<String>) -> Stop {
        self.stop(Problem::new(message, advice))
    }

    fn stop(&self, problem: Problem) -> Stop {
        Stop::Failed(Fault { message: problem.message, advice: problem.advice, exchange: Some(self.index) })
    }

    /// Applies a rule to this response.
    pub(crate) fn require<T>(&self, rule: impl FnOnce(&ResponseParts<'_>) -> Result<T, Problem>) -> Result<T, Stop> {
        rule(&self.parts()).map_err(|problem| self.stop(problem))
    }

    /// Creates a fault about an unexpected status.
    pub(crate) fn wrong_status(&self, expected: &str, advice: &str) -> Stop {
        self.stop(self.parts().wrong_status(expected, advice))
    }

    /// Requires one of these statuses.
    pub(crate) fn must_be(&self, statuses: &[u16], advice: &str) -> Result<&Self, Stop> {
        if statuses.contains(&self.status()) {
            return Ok(self);
        }
        let names: Vec<_> = statuses.iter().map(ToString::to_string).collect();
        Err(self.wrong_status(&one_of(&names), advice))
    }

    /// Requires a success.
    pub(crate) fn must_succeed(&self, expected: &str, advice: &str) -> Result<(), Stop> {
        if self.is_success() { Ok(()) } else { Err(self.wrong_status(expected, advice)) }
    }

    /// Requires a client error.
    pub(crate) fn must_be_refused(&self, advice: &str) -> Result<(), Stop> {
        if (400..500).contains(&self.status()) {
            Ok(())
        } else {
            Err(self.wrong_status("a client error (4xx)", advice))
        }
    }

    /// Returns the body as JSON, if it is valid JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        self.parts().json()
    }

    /// Requires a body that is a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Stop> {
        self.require(rules::object)
    }
}

impl Deref for Response {
    type Target = Reply;

    fn deref(&self) -> &Reply {
        &self.reply
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.reply, f)
    }
}
