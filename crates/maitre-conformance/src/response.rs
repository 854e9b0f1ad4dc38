//! Response of the add-on, as checks see it.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use maitre_testkit::Reply;
use serde_json::{Map, Value};

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

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status())
    }

    pub(crate) fn is_server_error(&self) -> bool {
        self.status() >= 500
    }

    /// Creates a fault that this exchange shows.
    pub(crate) fn fault(&self, message: impl Into<String>, advice: impl Into<String>) -> Stop {
        Stop::Failed(Fault { message: message.into(), advice: advice.into(), exchange: Some(self.index) })
    }

    /// Creates a fault about an unexpected status.
    pub(crate) fn wrong_status(&self, expected: &str, advice: &str) -> Stop {
        let status = self.status();
        let message = match &self.request {
            Some(request) => format!("The add-on answers {status} to {request}; expected {expected}."),
            None => format!("The add-on answers {status}; expected {expected}."),
        };
        self.fault(message, advice)
    }

    /// Requires one of these statuses.
    pub(crate) fn must_be(&self, statuses: &[u16], advice: &str) -> Result<&Self, Stop> {
        if statuses.contains(&self.status()) {
            return Ok(self);
        }
        let names: Vec<_> = statuses.iter().map(ToString::to_string).collect();
        Err(self.wrong_status(&one_of(&names), advice))
    }

    /// Requires a client error.
    pub(crate) fn must_be_refused(&self, advice: &str) -> Result<&Self, Stop> {
        if (400..500).contains(&self.status()) {
            Ok(self)
        } else {
            Err(self.wrong_status("a client error (4xx)", advice))
        }
    }

    /// Returns the body as JSON, if it is valid JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body()).ok()
    }

    /// Requires a body that is a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Stop> {
        match serde_json::from_slice(self.body()) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(self.fault(
                "The body is JSON but not an object.",
                "Answer with a JSON object: {\"id\": …, \"config\": {…}, \"message\": …}.",
            )),
            Err(error) => Err(self.fault(
                format!("The body is not valid JSON: {error}."),
                "Answer with a JSON object and nothing before or after it.",
            )),
        }
    }
}

/// Joins alternatives: `401`, `404 or 410`, `200, 201 or 202`.
pub(crate) fn one_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
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
