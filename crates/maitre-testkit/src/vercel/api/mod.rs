//! Vercel's REST API for the integration's own installations.

mod billing;
mod people;
mod resources;
mod sso;

use axum::response::Response;
use serde_json::{Value, json};

use super::{
    Platform,
    shape::{self, Field},
    state::{ApiCall, InstallationState, State},
};
use crate::platform::json_text;

/// A request as received.
pub(super) struct ApiRequest<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) authorization: Option<&'a str>,
    pub(super) content_type: Option<&'a str>,
    pub(super) body: &'a [u8],
}

/// Status and body of a success; no body if it is null.
pub(super) type Success = (u16, Value);

/// Status and message of an error.
pub(super) struct Problem(u16, String);

impl Problem {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self(status, message.into())
    }
}

/// An error of a body's shape.
impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self(400, message)
    }
}

pub(super) type Answer = Result<Success, Problem>;

/// Answers a request, and records it.
pub(super) fn answer(platform: &Platform, request: &ApiRequest<'_>) -> Success {
    let state = &mut *platform.state();
    let parsed = match (request.body.is_empty(), request.content_type) {
        (true, _) => Ok(Value::Null),
        (false, Some(kind)) if kind.starts_with("application/json") => {
            serde_json::from_slice(request.body).map_err(|_| Problem::new(400, "the body is not JSON"))
        }
        (false, _) => Err(Problem::new(400, "the content type is not application/json")),
    };
    let body = parsed.as_ref().ok().cloned().unwrap_or_default();
    let answer = parsed.and_then(|body| route(state, request, &body));
    let (status, reply, problem) = match answer {
        Ok((status, reply)) => (status, reply, None),
        Err(Problem(status, message)) => (status, error_body(status, &message), Some(message)),
    };
    state.calls.push(ApiCall {
        method: request.method.to_owned(),
        path: request.path.to_owned(),
        body,
        status,
        problem,
    });
    (status, reply)
}

fn route(state: &mut State, request: &ApiRequest<'_>, body: &Value) -> Answer {
    let segments: Vec<_> = request.path.split('/').skip(1).map(decode).collect();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    match (request.method, &segments[..]) {
        ("POST", ["v1", "integrations", "sso", "token"]) => sso::exchange(state, body),
        (method, ["v1", "installations", installation, rest @ ..]) => {
            let token = authenticate(state, request.authorization, installation)?;
            of_installation(state, installation, &token, method, rest, body)
        }
        _ => Err(Problem::new(404, "Not found.")),
    }
}

fn of_installation(
    state: &mut State,
    installation: &str,
    token: &str,
    method: &str,
    path: &[&str],
    body: &Value,
) -> Answer {
    let id = installation;
    match (method, path) {
        ("PATCH", []) => resources::update_installation(state, id, body),
        ("GET", ["resources"]) => Ok(resources::list(state, id)),
        ("GET", ["resources", resource]) => resources::read(state, id, resource),
        ("PUT", ["resources", resource]) => resources::import(state, id, resource, body),
        ("PATCH", ["resources", resource]) => resources::update(state, id, resource, body),
        ("DELETE", ["resources", resource]) => resources::delete(state, id, resource),
        ("PUT", ["resources", resource, "secrets"]) => resources::replace_secrets(state, id, resource, body),
        ("POST", ["events"]) => resources::event(state, id, body),
        ("GET", ["account"]) => Ok(people::account()),
        ("GET", ["member", member]) => people::member(state, id, member),
        ("POST", ["credentials", "rotate"]) => people::rotate(state, id, body),
        ("POST", ["credentials", "revoke"]) => people::revoke(state, id, token, body),
        ("POST", ["billing"]) => billing::usage(state, id, body),
        ("POST", ["billing", "invoices"]) => billing::submit(state, id, body),
        ("GET", ["billing", "invoices", invoice]) => billing::read(state, id, invoice),
        ("POST", ["billing", "invoices", invoice, "actions"]) => billing::refund(state, id, invoice, body),
        ("POST", ["billing", "balance"]) => billing::balance(state, id, body),
        ("POST", ["billing", "finalize"]) => billing::finalize(state, id),
        _ => Err(Problem::new(404, "Not found.")),
    }
}

/// Returns the token if it belongs to this installation.
fn authenticate(state: &State, authorization: Option<&str>, installation: &str) -> Result<String, Problem> {
    let token = authorization.and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| Problem::new(401, "The token is missing."))?;
    let known = state.installations.values().any(|installed| installed.tokens.iter().any(|known| known == token));
    if !known {
        return Err(Problem::new(401, "The token is not valid."));
    }
    let installed = state.installations.get(installation).ok_or_else(|| Problem::new(404, "No such installation."))?;
    if !installed.tokens.iter().any(|known| known == token) {
        return Err(Problem::new(403, "The token belongs to another installation."));
    }
    if installed.state == InstallationState::Gone {
        return Err(Problem::new(410, "The installation is gone."));
    }
    Ok(token.to_owned())
}

fn check(body: &Value, fields: &[Field]) -> Result<(), Problem> {
    Ok(shape::check(body, fields).map(drop)?)
}

fn decode(segment: &str) -> String {
    // a plus is not a space in a path
    let pair = format!("={}", segment.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes()).map(|(_, value)| value.into_owned()).next().unwrap_or_default()
}

fn error_body(status: u16, message: &str) -> Value {
    let code = match status {
        400 => "bad_request",
        401 | 403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        410 => "gone",
        422 => "unprocessable_entity",
        429 => "rate_limited",
        _ => "internal_server_error",
    };
    json!({ "error": { "code": code, "message": message } })
}

pub(super) fn error_response(status: u16) -> Response {
    json_response(status, &error_body(status, "An injected fault."))
}

pub(super) fn json_response(status: u16, body: &Value) -> Response {
    json_text(status, body.to_string())
}
