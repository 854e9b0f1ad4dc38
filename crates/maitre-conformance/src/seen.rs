//! An answer as a check looks at it.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use maitre_testkit::Reply;
use serde_json::{Map, Value};

use crate::verdict::{Fault, Stop};

/// An answer, with its place among the exchanges of the check.
#[derive(Clone)]
pub(crate) struct Seen {
    reply: Reply,
    number: usize,
    took: Duration,
    to: Option<String>,
}

impl Seen {
    pub(crate) fn new(reply: Reply, number: usize, took: Duration) -> Self {
        Self { reply, number, took, to: None }
    }

    /// Says what was sent, for a check that sends many things: "a body that is no JSON".
    pub(crate) fn to(mut self, what: impl Into<String>) -> Self {
        self.to = Some(what.into());
        self
    }

    pub(crate) fn took(&self) -> Duration {
        self.took
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status())
    }

    pub(crate) fn is_server_error(&self) -> bool {
        self.status() >= 500
    }

    /// This exchange shows a fault.
    pub(crate) fn fault(&self, why: impl Into<String>, advice: impl Into<String>) -> Stop {
        Stop::Failed(Fault { why: why.into(), advice: advice.into(), exchange: Some(self.number) })
    }

    /// The answer has a status that it should not have.
    pub(crate) fn wrong_status(&self, due: &str, advice: &str) -> Stop {
        let status = self.status();
        let why = match &self.to {
            Some(what) => format!("To {what} it answers {status}, where {due} is due."),
            None => format!("It answers {status}, where {due} is due."),
        };
        self.fault(why, advice)
    }

    /// Insists on one of these statuses.
    pub(crate) fn must_be(&self, statuses: &[u16], advice: &str) -> Result<&Self, Stop> {
        if statuses.contains(&self.status()) {
            return Ok(self);
        }
        let names: Vec<_> = statuses.iter().map(ToString::to_string).collect();
        Err(self.wrong_status(&either(&names), advice))
    }

    /// Insists that the request is refused as the caller's own fault.
    pub(crate) fn must_be_refused(&self, advice: &str) -> Result<&Self, Stop> {
        if (400..500).contains(&self.status()) { Ok(self) } else { Err(self.wrong_status("a refusal (4xx)", advice)) }
    }

    /// The body as JSON, if it is any.
    pub(crate) fn value(&self) -> Option<Value> {
        serde_json::from_slice(self.body()).ok()
    }

    /// The body as a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Stop> {
        match serde_json::from_slice(self.body()) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(self.fault(
                "The body is JSON, and no object.",
                "Answer with a JSON object: {\"id\": …, \"config\": {…}, \"message\": …}.",
            )),
            Err(error) => Err(self.fault(
                format!("The body is no valid JSON: {error}."),
                "Answer with a JSON object, and with nothing before or after it.",
            )),
        }
    }
}

/// `401`, `404 or 410`, `200, 201 or 202`.
pub(crate) fn either(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

impl Deref for Seen {
    type Target = Reply;

    fn deref(&self) -> &Reply {
        &self.reply
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.reply, f)
    }
}
