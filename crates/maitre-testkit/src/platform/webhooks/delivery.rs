//! Telling: signed posts, tried again until they are taken.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{
    super::{Platform, PlatformEvent, objects::instant, world::PlatformState},
    Event, Level, Webhook,
};
use crate::{Error, Request, endpoint::new_uuid, sign};

/// One event on its way to one subscription, and what became of it: see
/// [`Platform::deliveries`](crate::platform::Platform::deliveries).
///
/// `Debug` shows its ids and its status, no more.
#[derive(Clone, Serialize, Deserialize)]
pub struct Delivery {
    pub(super) id: String,
    pub(super) addon: String,
    event: String,
    include: String,
    hook: String,
    level: Level,
    status: Status,
    pub(in crate::platform) happened_at: OffsetDateTime,
    next_attempt_at: Option<OffsetDateTime>,
    attempts: Vec<Attempt>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Status {
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
struct Attempt {
    id: String,
    at: OffsetDateTime,
    /// The vendor's answer, if one came.
    code: Option<u16>,
}

/// What is about to be posted.
struct Outgoing {
    addon: String,
    delivery: String,
    attempt: String,
    request: Request,
}

impl Delivery {
    pub(super) fn new(event: &Event, hook: &Webhook, now: OffsetDateTime) -> Self {
        Self {
            id: new_uuid(),
            addon: hook.addon.clone(),
            event: event.id.clone(),
            include: event.include.clone(),
            hook: hook.id.clone(),
            level: hook.level,
            status: Status::Pending,
            happened_at: now,
            next_attempt_at: Some(now),
            attempts: Vec::new(),
        }
    }

    /// Heroku's id of it: the same over all attempts.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of the event, by which receivers know duplicates.
    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.event
    }

    /// The entity it is about, such as `api:addon`.
    #[must_use]
    pub fn include(&self) -> &str {
        &self.include
    }

    /// `pending`, `retrying`, `failed` or `succeeded`.
    #[must_use]
    pub fn status(&self) -> &str {
        self.status.name()
    }

    /// What the receiver answered to each attempt; `None` where no answer came.
    pub fn attempt_statuses(&self) -> impl Iterator<Item = Option<u16>> {
        self.attempts.iter().map(|attempt| attempt.code)
    }

    /// When it is tried next, if it is.
    #[must_use]
    pub fn next_attempt_at(&self) -> Option<OffsetDateTime> {
        self.next_attempt_at
    }

    pub(super) fn object(&self) -> Value {
        let last = self.attempts.last().map(|attempt| {
            json!({
                "code": attempt.code,
                "created_at": instant(attempt.at),
                "error_class": attempt.code.is_none().then_some("unable_to_connect"),
                "id": attempt.id,
                "status": if attempt.is_taken() { "succeeded" } else { "failed" },
                "updated_at": instant(attempt.at),
            })
        });
        json!({
            "created_at": instant(self.happened_at),
            "event": { "id": self.event, "include": self.include },
            "id": self.id,
            "last_attempt": last,
            "next_attempt_at": self.next_attempt_at.map(instant),
            "num_attempts": self.attempts.len(),
            "status": self.status.name(),
            "updated_at": instant(self.attempts.last().map_or(self.happened_at, |attempt| attempt.at)),
            "webhook": { "id": self.hook, "level": self.level.to_string() },
        })
    }

    fn tried(&mut self, attempt: Attempt, window: std::time::Duration) {
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

/// How long Heroku waits after so many attempts: twice as long each time, up to an hour.
fn pause(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(6);
    Duration::minutes(1_i64 << doublings).min(Duration::HOUR)
}

impl PlatformState {
    /// The next instant at which a delivery is due.
    pub(in crate::platform) fn next_attempt_at(&self) -> Option<OffsetDateTime> {
        self.webhooks.deliveries.iter().filter_map(|delivery| delivery.next_attempt_at).min()
    }

    /// The first delivery that is due, in the order of events.
    fn parcel(&self) -> Option<Outgoing> {
        let is_due = |at: OffsetDateTime| at <= self.now;
        let due = self.webhooks.deliveries.iter().find(|delivery| delivery.next_attempt_at.is_some_and(is_due))?;
        self.pack(due)
    }

    /// `None` if the subscription ended.
    fn pack(&self, delivery: &Delivery) -> Option<Outgoing> {
        let hook = self.webhooks.hooks.get(&delivery.hook)?;
        let event = self.webhooks.events.iter().find(|event| event.id == delivery.event)?;
        let attempt = new_uuid();
        let mut payload = event.payload.clone();
        payload["webhook_metadata"] = json!({
            "attempt": { "id": attempt },
            "delivery": { "id": delivery.id },
            "event": { "id": event.id, "include": event.include },
            "webhook": { "id": hook.id },
        });
        let mut request = Request::new("POST", &hook.url);
        request.body = payload.to_string().into_bytes();
        request.push_header("content-type", "application/json");
        request.push_header("user-agent", "Heroku-Webhooks");
        request.push_header("heroku-webhook-hmac-sha256", sign::webhook(&hook.secret, &request.body));
        if let Some(authorization) = &hook.authorization {
            request.push_header("authorization", authorization);
        }
        Some(Outgoing { addon: delivery.addon.clone(), delivery: delivery.id.clone(), attempt, request })
    }

    fn delivered(&mut self, parcel: &str, attempt: Attempt) {
        let window = self.settings.webhook_retry_window;
        let mut known = self.webhooks.deliveries.iter_mut();
        if let Some(delivery) = known.find(|delivery| delivery.id == parcel) {
            delivery.tried(attempt, window);
        }
    }

    /// Deliveries of an ended subscription are given up.
    fn drop_orphans(&mut self) {
        let hooks = &self.webhooks.hooks;
        for delivery in &mut self.webhooks.deliveries {
            if delivery.next_attempt_at.is_some() && !hooks.contains_key(&delivery.hook) {
                (delivery.status, delivery.next_attempt_at) = (Status::Failed, None);
            }
        }
    }
}

impl Platform {
    /// Posts the webhooks that are due, one after another, and tells how many attempts that were. A served platform
    /// does it by itself.
    ///
    /// A receiver that does not answer holds the others up for 25 seconds.
    pub async fn deliver_webhooks(&self) -> usize {
        let _alone = self.delivery_lock().lock().await;
        let mut attempts = 0;
        loop {
            let parcel = {
                let mut world = self.world();
                world.drop_orphans();
                world.parcel()
            };
            let Some(parcel) = parcel else { return attempts };
            let answer = self.post(&parcel).await.ok();
            let mut world = self.world();
            let attempt = Attempt { id: parcel.attempt, at: world.now, code: answer };
            world.delivered(&parcel.delivery, attempt);
            attempts += 1;
        }
    }

    /// Posts one delivery once more, as Heroku does when it did not see the answer: the same event under the same
    /// ids, but for the attempt's. Returns the answer's status.
    ///
    /// # Errors
    /// The receiver does not answer.
    ///
    /// # Panics
    /// When there is no such delivery, or its subscription ended.
    pub async fn redeliver(&self, delivery: &Delivery) -> Result<u16, Error> {
        let parcel = self.world().pack(delivery).expect("a subscription for the delivery");
        self.post(&parcel).await
    }

    /// All deliveries, in the order of their events.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.world().webhooks.deliveries.iter().cloned().collect()
    }

    async fn post(&self, parcel: &Outgoing) -> Result<u16, Error> {
        let answer = parcel.request.clone().send(self.client()).await;
        let (uuid, request) = (parcel.addon.clone(), parcel.request.clone());
        let reply = answer.as_ref().ok().cloned();
        self.0.watchers.tell(&PlatformEvent::WebhookPosted { uuid, request, reply });
        answer.map(|reply| reply.status())
    }
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
