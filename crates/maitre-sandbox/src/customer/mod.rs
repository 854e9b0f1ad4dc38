//! The part of Heroku's API that the `heroku` CLI uses for add-ons.
//!
//! An app exists as soon as a request names it, and the customer may do everything with it.

mod addons;
mod apps;
mod attachments;
mod manifests;
mod objects;
mod problem;
mod services;

use std::time::Instant;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

pub(crate) use self::objects::config_vars_of;
use self::problem::Problem;
use crate::{
    Sandbox,
    entry::{Completion, Direction, Head, Kind, Message},
};

/// Maximum size of a request body, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Id and e-mail address of the customer.
const OWNER: (&str, &str) = ("c4b1f2d0-8e2a-4d6b-9c11-5a7e3f9d2b64", "customer@example.org");

/// Beginnings of the paths that only customers and the vendor's clients use, not the add-on.
const OWN_PATHS: [&str; 10] = [
    "/account",
    "/actions/",
    "/addon-attachments",
    "/addon-services",
    "/api/v3/addons/",
    "/apps",
    "/config/",
    "/regions",
    "/teams",
    "/users/",
];

pub(crate) fn router(sandbox: &Sandbox) -> Router {
    Router::new()
        .route("/account", get(services::account))
        .route("/actions/addon-attachments/resolve", post(attachments::resolve))
        .route("/actions/addons/resolve", post(addons::resolve))
        .route("/addon-attachments", get(attachments::list).post(attachments::attach))
        .route("/addon-attachments/{attachment}", delete(attachments::detach))
        .route("/addons/{addon}/config/{namespace}", get(attachments::credential))
        .route("/addon-services", get(services::list))
        .route("/addon-services/{service}", get(services::get))
        .route("/addon-services/{service}/plans", get(services::plans))
        .route("/addons", get(addons::list))
        .route("/addons/{addon}", get(addons::get))
        .route("/addons/{addon}/addon-attachments", get(attachments::of_addon))
        .route("/addons/{addon}/sso", get(addons::sign_on))
        .route("/api/v3/addons/{slug}/current_manifest", get(manifests::current))
        .route("/api/v3/addons/{slug}/manifests", get(manifests::list).post(manifests::push))
        .route("/api/v3/addons/{slug}/manifests/{id}", get(manifests::get))
        .route("/apps", get(apps::list).post(apps::create))
        .route("/apps/{app}", get(apps::get).delete(apps::destroy))
        .route("/apps/{app}/addon-attachments", get(attachments::of_app))
        .route("/apps/{app}/addon-attachments/{attachment}", get(attachments::get))
        .route("/apps/{app}/addons", get(addons::of_app).post(addons::create))
        .route("/apps/{app}/addons/{addon}", get(addons::get_of_app).patch(addons::change).delete(addons::destroy))
        .route("/apps/{app}/addons/{addon}/sso", get(addons::sign_on_from_app))
        .route("/apps/{app}/collaborators", get(apps::collaborators))
        .route("/apps/{app}/config-vars", get(apps::config_vars).patch(apps::change_config_vars))
        .route("/apps/{app}/domains", get(apps::none))
        .route("/apps/{app}/dynos", get(apps::none))
        .route("/apps/{app}/formation", get(apps::none))
        .route("/apps/{app}/releases", get(apps::releases))
        .route("/apps/{app}/releases/{version}", get(apps::release))
        .route("/regions", get(services::regions))
        .route("/users/{user}/apps", get(apps::list))
        .fallback(|| async { Problem::not_found("page") })
        .layer(from_fn_with_state(sandbox.clone(), authenticate))
        .layer(from_fn_with_state(sandbox.clone(), record))
        .with_state(sandbox.clone())
}

/// Whether a request is for this API: it has the customer's key, or no other API has its path.
pub(crate) fn is_addressed(sandbox: &Sandbox, request: &Request) -> bool {
    let path = request.uri().path();
    let is_vendors = path.starts_with("/apps/") || path.starts_with("/addons/");
    has_key(sandbox, request.headers())
        || path == "/addons"
        || (!is_vendors && OWN_PATHS.iter().any(|own| path.starts_with(own)))
}

/// Whether the request has the customer's key: as a bearer token, or as the password of older clients.
fn has_key(sandbox: &Sandbox, headers: &HeaderMap) -> bool {
    let key = &sandbox.inner().api_key;
    let text = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, credentials)) = text.and_then(|text| text.split_once(' ')) else { return false };
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => credentials.trim() == key,
        "basic" => {
            let decoded = BASE64_STANDARD.decode(credentials.trim()).unwrap_or_default();
            String::from_utf8_lossy(&decoded).split_once(':').is_some_and(|(_, password)| password == key)
        }
        _ => false,
    }
}

/// Answers 401 without the customer's key.
async fn authenticate(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    if has_key(&sandbox, request.headers()) { next.run(request).await } else { Problem::unauthorized().into_response() }
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
