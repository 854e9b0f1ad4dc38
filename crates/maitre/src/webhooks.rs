//! The route that Heroku delivers webhooks to.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use maitre_heroku::{Received, WebhookReceiver, api::WEBHOOK_SIGNATURE};

/// The longest body that is read: a whole app with its add-on is a few kilobytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// Where Heroku delivers the webhooks that you subscribed to, at `/` of where you nest it.
///
/// 204 once an event is recorded, also for one that was recorded before; 401 for what is not signed with one of the
/// secrets; 503 while it cannot be recorded, so that Heroku delivers it again. What you do about an event is
/// [`PlatformBuilder::on_event`](crate::platform::PlatformBuilder::on_event), which a worker runs.
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
            tracing::warn!("refused a webhook: it is not signed with a secret that is known here");
            StatusCode::UNAUTHORIZED
        }
        received => {
            tracing::error!(?received, "cannot record a webhook: Heroku is asked to deliver it again");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
