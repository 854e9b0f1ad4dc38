//! The part of Heroku's API that the `heroku` CLI uses for add-ons.
//!
//! An app exists as soon as a request names it, and the customer may do everything with it.

mod addons;
mod attachments;
mod objects;
mod problem;
mod services;

use std::time::Instant;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde_json::Value;

pub(crate) use self::objects::config_vars_of;
use self::problem::Problem;
use crate::{
    Sandbox,
    entry::{Completion, Direction, Head, Kind, Message},
};

/// Maximum size of a request body, in bytes.
const MAX_BODY: usize = 1 << 20;

pub(crate) fn router(sandbox: &Sandbox) -> Router {
    Router::new()
        .route("/account", get(services::account))
        .route("/actions/addon-attachments/resolve", post(attachments::resolve))
        .route("/actions/addons/resolve", post(addons::resolve))
        .route("/addon-attachments", get(attachments::list).post(attachments::attach))
        .route("/addon-attachments/{attachment}", delete(attachments::detach))
        .route("/addon-services", get(services::list))
        .route("/addon-services/{service}", get(services::get))
        .route("/addon-services/{service}/plans", get(services::plans))
        .route("/addons", get(addons::list))
        .route("/addons/{addon}", get(addons::get))
        .route("/addons/{addon}/addon-attachments", get(attachments::of_addon))
        .route("/addons/{addon}/sso", get(addons::sign_on))
        .route("/apps", get(services::apps))
        .route("/apps/{app}", get(services::app))
        .route("/apps/{app}/addon-attachments", get(attachments::of_app))
        .route("/apps/{app}/addon-attachments/{attachment}", get(attachments::get))
        .route("/apps/{app}/addons", get(addons::of_app).post(addons::create))
        .route("/apps/{app}/addons/{addon}", get(addons::get_of_app).patch(addons::change).delete(addons::destroy))
        .route("/apps/{app}/addons/{addon}/sso", get(addons::sign_on_from_app))
        .route("/apps/{app}/config-vars", get(services::config_vars))
        .route("/apps/{app}/releases", get(services::releases))
        .fallback(|| async { Problem::not_found("page") })
        .layer(from_fn_with_state(sandbox.clone(), record))
        .with_state(sandbox.clone())
}

/// Records a call and its response.
async fn record(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return Problem::bad_request("The body is too long or incomplete.").into_response();
    };
    let (started, now) = (Instant::now(), sandbox.platform().clock().now());
    let head = Head {
        method: parts.method.to_string(),
        url: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        ..Head::new(now, Direction::FromCustomer, Kind::Customer, Kind::Customer.title())
    };
    let id = sandbox.journal().begin(head, &message(&parts.headers, &body));
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (parts, body) = response.into_parts();
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let completion = Completion {
        status: Some(parts.status.as_u16()),
        duration_ms: Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)),
        response: Some(message(&parts.headers, &body)),
        ..Completion::default()
    };
    sandbox.journal().complete(id, completion);
    Response::from_parts(parts, Body::from(body))
}

fn message(headers: &HeaderMap, body: &[u8]) -> Message {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    Message::new(headers.iter().map(|(name, value)| (*name, value.as_str())), body)
}

/// Parses a JSON body; an empty body is `null`.
fn read(body: &[u8]) -> Result<Value, Problem> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(format!("The body is not JSON: {error}.")))
}
