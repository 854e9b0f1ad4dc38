//! The route that Heroku delivers webhooks to.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
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
    let router = Router::new().route("/", post(receive).with_state(webhooks));
    router.method_not_allowed_fallback(async || {
        error(StatusCode::METHOD_NOT_ALLOWED, "This method is not supported here.")
    })
}

async fn receive(State(webhooks): State<WebhookReceiver>, headers: HeaderMap, body: Body) -> Response {
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is longer than the limit of 1048576 bytes, or incomplete.",
        );
    };
    let signature = headers.get(WEBHOOK_SIGNATURE).and_then(|signature| signature.to_str().ok());
    match webhooks.receive(signature, &body).await {
        Received::Accepted | Received::Duplicate => StatusCode::NO_CONTENT.into_response(),
        Received::InvalidSignature => {
            tracing::warn!("refused a webhook without a signature by a known secret");
            let mut response = error(StatusCode::UNAUTHORIZED, "The signature is missing or wrong.");
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(WEBHOOK_SIGNATURE));
            response
        }
        received => {
            tracing::error!(?received, "cannot record a webhook: Heroku is asked to deliver it again");
            error(StatusCode::SERVICE_UNAVAILABLE, "The event cannot be recorded at the moment: deliver it again.")
        }
    }
}

fn error(status: StatusCode, message: &'static str) -> Response {
    maitre_axum::json(status, &std::collections::BTreeMap::from([("message", message)]))
}
