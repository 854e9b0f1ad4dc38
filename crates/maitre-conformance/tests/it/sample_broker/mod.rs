//! A small service broker that is correct except for one fault.

#![allow(clippy::result_large_err, reason = "an error is the response to one request")]

mod bindings;
mod catalog;
mod fault;
mod instances;
mod polling;
mod reply;
mod request;
mod store;
mod suspension;
mod table;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

pub(crate) use fault::{Fault, Route};
use reply::{answer, error, status};
use store::Store;
pub(crate) use table::FAULTS;

pub(crate) const USER: &str = "tally";
pub(crate) const PASSWORD: &str = "s3cr3t-example-of-32-characters!";

/// Maximum size of a body, in bytes.
const LIMIT: usize = 2 * 1024 * 1024;

/// Duration of an asynchronous operation from its first poll, and of the work in faults that depend on concurrency.
const DELAY: Duration = Duration::from_millis(250);

/// Choices that the specification leaves to brokers.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(crate) struct Style {
    pub(crate) asynchronous: bool,
    /// Whether a repeated PUT is answered 201.
    pub(crate) repeats_201: bool,
    /// Whether an asynchronous delete ends with 200 `succeeded`, not with 410.
    pub(crate) ends_with_200: bool,
    /// Whether `dashboard_url` is null.
    pub(crate) null_dashboard: bool,
    /// Whether replies have fields that the specification does not name.
    pub(crate) extra_fields: bool,
    pub(crate) etag: bool,
    pub(crate) updates: bool,
    pub(crate) bindable: bool,
    pub(crate) retrievable: bool,
    pub(crate) maintenance: bool,
    /// Whether IBM Cloud's routes exist.
    pub(crate) suspension: bool,
    pub(crate) requires_app: bool,
    /// Whether the organization and space are required.
    pub(crate) strict: bool,
    /// Whether a second request about an instance is refused while one is running.
    pub(crate) one_at_a_time: bool,
    /// Whether 202 have an operation.
    pub(crate) names_operations: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            asynchronous: false,
            repeats_201: false,
            ends_with_200: false,
            null_dashboard: false,
            extra_fields: false,
            etag: true,
            updates: true,
            bindable: true,
            retrievable: true,
            maintenance: true,
            suspension: true,
            requires_app: false,
            strict: true,
            one_at_a_time: false,
            names_operations: true,
        }
    }
}

#[derive(Clone)]
pub(crate) struct SampleBroker {
    style: Style,
    fault: Fault,
    store: Arc<Mutex<Store>>,
}

/// One request, with its path decoded.
struct Call {
    method: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn accepts_incomplete(&self) -> bool {
        self.query("accepts_incomplete") == Some("true")
    }
}

impl SampleBroker {
    pub(crate) fn new(style: Style, fault: Fault) -> Self {
        Self { style, fault, store: Arc::default() }
    }

    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    /// Returns the number of instances and bindings that exist.
    pub(crate) fn active(&self) -> usize {
        self.store().active()
    }

    /// Returns the number of instances that were ever created.
    pub(crate) fn created(&self) -> usize {
        self.store().created
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }
}

async fn serve(State(broker): State<SampleBroker>, request: Request) -> Response {
    let identity = request.headers().get("x-broker-api-request-identity").cloned();
    let mut response = respond(&broker, request).await;
    if response.status() == 400 {
        match broker.fault {
            Fault::EmptyDescription => response = error(400, ""),
            Fault::ErrorIsText => response = (StatusCode::BAD_REQUEST, "The request is malformed.").into_response(),
            _ => {}
        }
    }
    let is_error = !response.status().is_success();
    let echoes = match broker.fault {
        Fault::NoEcho => is_error,
        Fault::NoEchoOnErrors => !is_error,
        _ => true,
    };
    if let Some(identity) = identity.filter(|_| echoes) {
        response.headers_mut().insert("x-broker-api-request-identity", identity);
    }
    response
}

async fn respond(broker: &SampleBroker, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut path = parts.uri.path().to_owned();
    if broker.is(Fault::SlashIsASeparator) {
        path = path.replace("%2F", "/");
    }
    let segments: Result<Vec<_>, ()> =
        path.trim_start_matches('/').split('/').map(|part| decoded(broker, part)).collect();
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let method = parts.method.to_string();
    let mut call = Call { method, query, headers: parts.headers, body: Bytes::new() };
    let segments: Vec<String> = match segments {
        Ok(segments) => segments,
        Err(()) if broker.is(Fault::NoUtf8Is500) => return status(500),
        Err(()) => vec!["-".to_owned()],
    };
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    let route = Route::of(&call.method, &segments);
    let early_version = broker.is(Fault::VersionBeforePassword);
    if early_version && let Some(refusal) = wrong_version(broker, &call) {
        return refusal;
    }
    let is_put = call.method == "PUT";
    if is_put && broker.is(Fault::BodyBeforePassword) {
        call.body = axum::body::to_bytes(body, LIMIT).await.unwrap_or_default();
        if serde_json::from_slice::<Value>(&call.body).is_err() {
            return error(400, "The body is not JSON.");
        }
        return match unauthorized(broker, &call, route) {
            Some(refusal) => refusal,
            None => dispatch(broker, call, &segments).await,
        };
    }
    if let Some(refusal) = unauthorized(broker, &call, route) {
        if broker.is(Fault::ProvisionsBeforePassword) && route == Some(Route::Provision) {
            call.body = axum::body::to_bytes(body, LIMIT).await.unwrap_or_default();
            dispatch(broker, call, &segments).await;
        }
        return refusal;
    }
    if broker.is(Fault::BodyBeforeVersion) && is_put {
        call.body = axum::body::to_bytes(body, LIMIT).await.unwrap_or_default();
        if call.body.is_empty() {
            return status(500);
        }
    } else {
        if let Some(refusal) = wrong_version(broker, &call) {
            return refusal;
        }
        let start = std::time::Instant::now();
        let limit = if broker.is(Fault::LargeBodyIs500) { 100_000 } else { LIMIT };
        call.body = match axum::body::to_bytes(body, limit).await {
            Ok(body) => body,
            Err(_) if broker.is(Fault::LargeBodyIs500) => return status(500),
            Err(_) => return error(413, "The body is too large."),
        };
        if broker.is(Fault::SlowBodyIs408) && start.elapsed() > Duration::from_millis(200) {
            return error(408, "The body is too slow.");
        }
    }
    if let Some(refusal) = wrong_version(broker, &call) {
        return refusal;
    }
    if broker.is(Fault::OriginatingIdentityIs400) && call.headers.contains_key("x-broker-api-originating-identity") {
        return error(400, "The header is not supported.");
    }
    let identity = call.header("x-broker-api-originating-identity");
    let value = identity.and_then(|identity| identity.split_once(' ')).map(|(_, value)| value);
    if broker.is(Fault::MalformedIdentityIs500)
        && identity.is_some()
        && value.is_none_or(|value| BASE64_STANDARD.decode(value).is_err())
    {
        return status(500);
    }
    dispatch(broker, call, &segments).await
}

async fn dispatch(broker: &SampleBroker, call: Call, segments: &[&str]) -> Response {
    let method = call.method.as_str();
    match (method, segments) {
        ("GET", ["v2", "catalog"]) => catalog::catalog(broker, &call),
        ("PUT", ["v2", "service_instances", id]) => instances::provision(broker, &call, id).await,
        ("GET", ["v2", "service_instances", id]) => instances::fetch(broker, &call, id),
        ("PATCH", ["v2", "service_instances", id]) => instances::update(broker, &call, id),
        ("DELETE", ["v2", "service_instances", id]) => instances::deprovision(broker, &call, id).await,
        ("GET", ["v2", "service_instances", id, "last_operation"]) => polling::instance(broker, &call, id),
        ("PUT", ["v2", "service_instances", id, "service_bindings", binding]) => {
            bindings::bind(broker, &call, id, binding).await
        }
        ("GET", ["v2", "service_instances", id, "service_bindings", binding]) => bindings::fetch(broker, id, binding),
        ("DELETE", ["v2", "service_instances", id, "service_bindings", binding]) => {
            bindings::unbind(broker, &call, id, binding)
        }
        ("GET", ["v2", "service_instances", id, "service_bindings", binding, "last_operation"]) => {
            polling::binding(broker, id, binding)
        }
        ("GET", ["bluemix_v1", "service_instances", id]) if broker.style.suspension => suspension::state(broker, id),
        ("PUT", ["bluemix_v1", "service_instances", id]) if broker.style.suspension => {
            suspension::set_enabled(broker, &call, id)
        }
        (_, ["v2", "catalog" | "service_instances", ..]) if broker.is(Fault::OtherMethodIs500) && method != "GET" => {
            status(500)
        }
        (_, ["v2", "catalog"] | ["v2", "service_instances", _, ..]) if method != "GET" => {
            let mut response = error(405, "The method is not supported.");
            if !broker.is(Fault::NoAllow) {
                response.headers_mut().insert("allow", "GET".parse().unwrap());
            }
            response
        }
        _ if broker.is(Fault::UnknownPathIs200) => answer(200, &json!({})),
        _ => error(404, "There is nothing here."),
    }
}

/// Returns the refusal of wrong credentials.
fn unauthorized(broker: &SampleBroker, call: &Call, route: Option<Route>) -> Option<Response> {
    if broker.is(Fault::RefusesEverything) {
        return Some(challenge(broker));
    }
    if route.is_some_and(|route| broker.is(Fault::NoAuth(route))) {
        return None;
    }
    let header = call.header("authorization");
    let Some(header) = header else {
        return (!broker.is(Fault::NoCredentials)).then(|| challenge(broker));
    };
    let decoded = header.strip_prefix("Basic ").and_then(|text| BASE64_STANDARD.decode(text).ok());
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
    if pair.is_none() && broker.is(Fault::AuthorizationIs500) {
        return Some(status(500));
    }
    let is_right = pair.is_some_and(|(user, password)| {
        let same_user = user == USER || broker.is(Fault::AnyUser);
        let same_password = match broker.fault {
            Fault::PasswordInAnyCase => password.eq_ignore_ascii_case(PASSWORD),
            _ => password == PASSWORD,
        };
        same_user && same_password
    });
    (!is_right).then(|| challenge(broker))
}

fn challenge(broker: &SampleBroker) -> Response {
    let mut response = error(401, "Wrong credentials.");
    if !broker.is(Fault::NoChallenge) {
        response.headers_mut().insert("www-authenticate", "Basic realm=\"broker\"".parse().unwrap());
    }
    response
}

/// Returns the refusal of a version that is not supported.
fn wrong_version(broker: &SampleBroker, call: &Call) -> Option<Response> {
    let version = call.header("x-broker-api-version");
    let is_right = match (version, broker.fault) {
        (None, Fault::VersionOptional) | (Some(""), Fault::EmptyVersion) | (Some(_), Fault::AnyVersion) => true,
        (Some(version), Fault::OnlyOneVersion) => version != "2.99" && version != "2.18",
        (Some(version), Fault::NoOldVersions) => matches!(version, "2.17" | "2.18" | "2.99"),
        (Some(version), _) => version.starts_with("2."),
        (None, _) => false,
    };
    let text = if broker.is(Fault::EmptyVersionRefusal) { "" } else { "Use version 2.17 of the API." };
    (!is_right).then(|| if text.is_empty() { answer(412, &json!({})) } else { error(412, text) })
}

/// Decodes a path segment.
fn decoded(broker: &SampleBroker, segment: &str) -> Result<String, ()> {
    let once = decode_once(segment)?;
    if broker.is(Fault::DecodesTwice) { decode_once(&once) } else { Ok(once) }
}

fn decode_once(segment: &str) -> Result<String, ()> {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, others @ ..] = rest {
        let hex = (*first == b'%').then(|| others.get(..2)).flatten();
        let escaped = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &others[2..] } else { others };
    }
    String::from_utf8(bytes).map_err(|_| ())
}
