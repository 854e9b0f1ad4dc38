//! Webhook deliveries.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::timestamp::timestamp;
use crate::generate::new_uuid;

/// Delivery guarantee of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Level {
    /// One attempt.
    Notify,
    /// Retries for up to three days.
    Sync,
}

impl Level {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "notify" => Some(Self::Notify),
            "sync" => Some(Self::Sync),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notify => "notify",
            Self::Sync => "sync",
        })
    }
}

/// Delivery of one event to one subscription: see [`Platform::deliveries`](crate::platform::Platform::deliveries).
///
/// `Debug` shows only the ids and the status.
#[derive(Clone, Serialize, Deserialize)]
pub struct Delivery {
    pub(crate) id: String,
    pub(crate) addon: String,
    pub(crate) event: String,
    pub(crate) include: String,
    pub(crate) subscription: String,
    pub(crate) level: Level,
    pub(crate) status: Status,
    pub(crate) happened_at: OffsetDateTime,
    pub(crate) next_attempt_at: Option<OffsetDateTime>,
    pub(crate) attempts: Vec<Attempt>,
}

/// Status of a delivery.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Status {
    Pending,
    Retrying,
    Failed,
    Succeeded,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) id: String,
    pub(crate) at: OffsetDateTime,
    /// Status of the vendor's response, if there was one.
    pub(crate) code: Option<u16>,
}

/// The ids of a new delivery.
pub(crate) struct DeliveryIds {
    pub(crate) addon: String,
    pub(crate) event: String,
    pub(crate) include: String,
    pub(crate) subscription: String,
}

impl Delivery {
    pub(crate) fn new(ids: DeliveryIds, level: Level, now: OffsetDateTime) -> Self {
        Self {
            id: new_uuid(),
            addon: ids.addon,
            event: ids.event,
            include: ids.include,
            subscription: ids.subscription,
            level,
            status: Status::Pending,
            happened_at: now,
            next_attempt_at: Some(now),
            attempts: Vec::new(),
        }
    }

    /// Returns the id, which is the same for all attempts.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the id of the event, by which receivers detect duplicates.
    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.event
    }

    /// Returns the entity of the event, such as `api:addon`.
    #[must_use]
    pub fn include(&self) -> &str {
        &self.include
    }

    /// Returns `pending`, `retrying`, `failed` or `succeeded`.
    #[must_use]
    pub fn status(&self) -> &str {
        self.status.name()
    }

    /// Returns the status of the receiver's response to each attempt; `None` without a response.
    pub fn attempt_statuses(&self) -> impl Iterator<Item = Option<u16>> {
        self.attempts.iter().map(|attempt| attempt.code)
    }

    /// Returns the time of the next attempt, if there is one.
    #[must_use]
    pub fn next_attempt_at(&self) -> Option<OffsetDateTime> {
        self.next_attempt_at
    }

    pub(crate) fn object(&self) -> Value {
        let last = self.attempts.last().map(|attempt| {
            json!({
                "code": attempt.code,
                "created_at": timestamp(attempt.at),
                "error_class": attempt.code.is_none().then_some("unable_to_connect"),
                "id": attempt.id,
                "status": if attempt.is_taken() { "succeeded" } else { "failed" },
                "updated_at": timestamp(attempt.at),
            })
        });
        json!({
            "created_at": timestamp(self.happened_at),
            "event": { "id": self.event, "include": self.include },
            "id": self.id,
            "last_attempt": last,
            "next_attempt_at": self.next_attempt_at.map(timestamp),
            "num_attempts": self.attempts.len(),
            "status": self.status.name(),
            "updated_at": timestamp(self.attempts.last().map_or(self.happened_at, |attempt| attempt.at)),
            "webhook": { "id": self.subscription, "level": self.level.to_string() },
        })
    }

    pub(crate) fn record_attempt(&mut self, attempt: Attempt, window: std::time::Duration) {
        let now = attempt.at;
        let is_taken = attempt.is_taken();
        self.attempts.push(attempt);
        let next = now.saturating_add(pause(self.attempts.len()));
        let is_over = self.level == Level::Notify || next - self.happened_at > window;
        (self.status, self.next_attempt_at) = match (is_taken, is_over) {
            (true, _) => (Status::Succeeded, None),
            (false, true) => (Status::Failed, None),
            (false, false) => (Status::Retrying, Some(next)),
        };
    }
}

impl Attempt {
    fn is_taken(&self) -> bool {
        self.code.is_some_and(|code| (200..300).contains(&code))
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("event", &self.event)
            .field("include", &self.include)
            .field("status", &self.status.name())
            .finish_non_exhaustive()
    }
}

/// Returns the pause after this many attempts: doubling, up to an hour.
fn pause(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(6);
    Duration::minutes(1_i64 << doublings).min(Duration::HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let minutes: Vec<_> = (1..=9).map(|attempts| pause(attempts).whole_minutes()).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(pause(usize::MAX), Duration::hours(1));
    }
}
