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

/// Webhook request that is ready to be sent.
struct OutgoingWebhook {
    addon: String,
    delivery: String,
    attempt: String,
    request: Request,
}

/// Returns `None` if the subscription was deleted.
fn prepare(state: &PlatformState, delivery: &Delivery) -> Option<OutgoingWebhook> {
    let webhook = state.webhooks.subscriptions.get(&delivery.subscription)?;
    let event = state.webhooks.events.iter().find(|event| event.id == delivery.event)?;
    let attempt = new_uuid();
    let mut payload = event.payload.clone();
    payload["webhook_metadata"] = json!({
        "attempt": { "id": attempt },
        "delivery": { "id": delivery.id },
        "event": { "id": event.id, "include": event.include },
        "webhook": { "id": webhook.id },
    });
    let mut request = Request::new("POST", &webhook.url);
    request.body = payload.to_string().into_bytes();
    request.push_header("content-type", "application/json");
    request.push_header("user-agent", "Heroku-Webhooks");
    request.push_header("heroku-webhook-hmac-sha256", sign::webhook(&webhook.secret, &request.body));
    if let Some(authorization) = &webhook.authorization {
        request.push_header("authorization", authorization);
    }
    Some(OutgoingWebhook { addon: delivery.addon.clone(), delivery: delivery.id.clone(), attempt, request })
}

impl Platform {
    /// Posts the due webhooks one after another, and returns the number of attempts. A served platform does so
    /// automatically.
    ///
    /// A receiver that does not respond delays the others by 25 s.
    pub async fn deliver_webhooks(&self) -> usize {
        let _lock = self.delivery_lock().lock().await;
        let mut attempts = 0;
        loop {
            let webhook = {
                let mut state = self.state();
                state.drop_orphans();
                state.due_delivery().and_then(|due| prepare(&state, due))
            };
            let Some(webhook) = webhook else { return attempts };
            let status = self.post(&webhook).await.ok();
            let mut state = self.state();
            let attempt = Attempt { id: webhook.attempt, at: state.now, code: status };
            state.delivered(&webhook.delivery, attempt);
            attempts += 1;
        }
    }

    /// Posts a delivery again, as Heroku does if it did not receive the response: the same event and ids, except for
    /// the id of the attempt. Returns the status of the response.
    ///
    /// # Errors
    /// Returns an error if the receiver does not respond.
    ///
    /// # Panics
    /// Panics if the delivery does not exist or its subscription was deleted.
    pub async fn redeliver(&self, delivery: &Delivery) -> Result<u16, Error> {
        let webhook = prepare(&self.state(), delivery).expect("a subscription for the delivery");
        self.post(&webhook).await
    }

    /// Returns all deliveries, in the order of their events.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.state().webhooks.deliveries.iter().cloned().collect()
    }

    async fn post(&self, webhook: &OutgoingWebhook) -> Result<u16, Error> {
        let result = send(webhook.request.clone(), self.client()).await;
        let (uuid, request) = (webhook.addon.clone(), webhook.request.clone());
        let reply = result.as_ref().ok().cloned();
        self.watchers().notify(&PlatformEvent::WebhookPosted { uuid, request, reply });
        result.map(|reply| reply.status())
    }
}
