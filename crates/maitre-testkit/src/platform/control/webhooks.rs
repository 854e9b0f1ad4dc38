//! Posting webhooks.

use serde_json::json;

use super::{
    super::state::{
        delivery::{Attempt, Delivery},
        event::PlatformEvent,
        store::PlatformState,
    },
    platform::Platform,
};
use crate::{error::Error, generate::new_uuid, request::Request, send::send, sign};

/// What is about to be posted.
struct Outgoing {
    addon: String,
    delivery: String,
    attempt: String,
    request: Request,
}

/// `None` if the subscription ended.
fn prepare(state: &PlatformState, delivery: &Delivery) -> Option<Outgoing> {
    let hook = state.webhooks.subscriptions.get(&delivery.subscription)?;
    let event = state.webhooks.events.iter().find(|event| event.id == delivery.event)?;
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
                let mut world = self.state();
                world.drop_orphans();
                world.due_delivery().and_then(|due| prepare(&world, due))
            };
            let Some(parcel) = parcel else { return attempts };
            let answer = self.post(&parcel).await.ok();
            let mut world = self.state();
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
        let parcel = prepare(&self.state(), delivery).expect("a subscription for the delivery");
        self.post(&parcel).await
    }

    /// All deliveries, in the order of their events.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state().webhooks.deliveries.iter().cloned().collect()
    }

    async fn post(&self, parcel: &Outgoing) -> Result<u16, Error> {
        let answer = send(parcel.request.clone(), self.client()).await;
        let (uuid, request) = (parcel.addon.clone(), parcel.request.clone());
        let reply = answer.as_ref().ok().cloned();
        self.watchers().notify(&PlatformEvent::WebhookPosted { uuid, request, reply });
        answer.map(|reply| reply.status())
    }
}
