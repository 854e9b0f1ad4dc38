//! The route that Heroku delivers webhooks to.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use maitre_heroku::{Received, WebhookReceiver, api::WEBHOOK_SIGNATURE};

/// Body limit; an event with an app and its add-on has a few kilobytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// Builds the router for Heroku's webhooks, at `/` of the path where it is nested.
///
/// A stored event is answered 204, also if it was delivered before; an invalid signature 401; and 503 if the event
/// cannot be stored, so that Heroku delivers it again. A worker passes events to
/// [`PlatformBuilder::on_event`](crate::platform::PlatformBuilder::on_event).
///
/// ```
/// # async fn run(builder: maitre::platform::PlatformBuilder) -> Result<(), Box<dyn std::error::Error>> {
/// use maitre::platform::{Event, WebhookSecret};
///
/// let platform = builder.on_event(|event: Event| async move {
///     println!("{} {} at {:?}", event.action, event.resource, event.changed_at());
///     Ok(())
/// }).build();
/// let receiver = platform.webhook_receiver([WebhookSecret::new("lantern-webhook-secret")?]);
/// let app: axum::Router = axum::Router::new().nest("/heroku/webhooks", maitre::heroku_webhooks(receiver));
/// # assert!(app.has_routes());
/// # Ok(())
/// # }
/// ```
pub fn heroku_webhooks<S>(webhooks: WebhookReceiver) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new().route("/", post(receive)).layer(DefaultBodyLimit::max(BODY_LIMIT)).with_state(webhooks)
}

async fn receive(State(webhooks): State<WebhookReceiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get(WEBHOOK_SIGNATURE).and_then(|signature| signature.to_str().ok());
    match webhooks.receive(signature, &body).await {
        Received::Accepted | Received::Duplicate => StatusCode::NO_CONTENT,
        Received::InvalidSignature => {
            tracing::warn!("refused a webhook: its signature does not match any secret");
            StatusCode::UNAUTHORIZED
        }
        received => {
            tracing::error!(?received, "cannot store a webhook: answered 503, so that Heroku delivers it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
