//! Asynchronous operation of a service broker, which the platform polls.

use maitre_testkit::{Reply, platform::Install};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::{facts::Facts, fields::json_of};

/// Fact of an instance: its pending operation.
const FACT: &str = "operation";

/// Seconds between polls, unless the broker sends `Retry-After`.
const INTERVAL: u32 = 1;

/// Longest time between polls, in seconds.
const MAX_INTERVAL: u32 = 3_600;

/// Time after which an operation counts as failed, unless the plan has a time of its own: that of Cloud Foundry.
const MAX_DURATION: Duration = Duration::WEEK;

/// Operation whose end a platform waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) step: Step,
    /// Name of the operation, as the broker has sent it.
    pub(super) operation: Option<String>,
    since: OffsetDateTime,
    delay: u32,
}

/// Purpose of a pending operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    Provision,
    /// The new plan.
    Update(String),
    Deprovision,
    Bind,
    /// Read of the credentials after an asynchronous bind.
    FetchBinding,
    Unbind,
}

/// Result of a poll.
pub(super) enum Outcome {
    InProgress(Pending),
    Succeeded,
    Failed,
}

impl Step {
    /// Returns the title of a poll in the timeline.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::FetchBinding => "Fetch binding",
            _ => "Last operation",
        }
    }

    fn is_deletion(&self) -> bool {
        matches!(self, Self::Deprovision | Self::Unbind)
    }
}

impl Pending {
    /// Returns the operation that a response with the status 202 began.
    pub(super) fn new(step: Step, reply: &Reply, now: OffsetDateTime) -> Self {
        let operation = json_of(reply)["operation"].as_str().map(str::to_owned);
        Self { step, operation, since: now, delay: delay(reply) }
    }

    pub(super) fn then(self, step: Step) -> Self {
        Self { step, ..self }
    }

    pub(super) fn of(facts: &Facts, install: &Install) -> Option<Self> {
        serde_json::from_str(&facts.get(install.uuid(), FACT)?).ok()
    }

    pub(super) fn save(&self, facts: &Facts, install: &Install) {
        facts.set(install.uuid(), FACT, serde_json::to_string(self).unwrap_or_default());
    }

    pub(super) fn forget(facts: &Facts, install: &Install) {
        facts.remove(install.uuid(), FACT);
    }

    pub(super) fn delay(&self) -> Duration {
        Duration::seconds(self.delay.into())
    }

    /// Reads the response to a poll. Server errors change nothing; after `limit` the operation counts as failed.
    pub(super) fn read(&self, reply: &Reply, now: OffsetDateTime, limit: Option<Duration>) -> Outcome {
        let body = json_of(reply);
        match (reply.status(), body["state"].as_str()) {
            (200, _) if self.step == Step::FetchBinding => Outcome::Succeeded,
            (200, Some("succeeded")) => Outcome::Succeeded,
            (410, _) if self.step.is_deletion() => Outcome::Succeeded,
            (200, Some("failed")) | (400 | 404 | 410, _) => Outcome::Failed,
            _ if now - self.since > limit.unwrap_or(MAX_DURATION) => Outcome::Failed,
            _ => Outcome::InProgress(Self { delay: delay(reply), ..self.clone() }),
        }
    }
}

/// Returns the seconds until the next poll.
fn delay(reply: &Reply) -> u32 {
    let asked = reply.header("retry-after").and_then(|seconds| seconds.parse().ok());
    asked.unwrap_or(INTERVAL).clamp(INTERVAL, MAX_INTERVAL)
}
