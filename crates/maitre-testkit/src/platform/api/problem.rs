//! Error responses of the Platform API, with their status and the `id` that clients check.

use axum::{
    body::Body,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::super::state::error::RequestError;

#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: u16,
    id: &'static str,
    message: String,
}

impl Problem {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, id: id_of(status), message: message.into() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Invalid credentials provided.")
    }

    pub(crate) fn forbidden(what: &str) -> Self {
        Self::new(403, format!("You do not have access to the {what}."))
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(404, format!("Couldn't find that {what}."))
    }

    pub(crate) fn not_acceptable() -> Self {
        Self::new(
            406,
            "The header `Accept` must request version 3 of this API: `application/vnd.heroku+json; version=3`.",
        )
    }

    pub(crate) fn range(message: impl Into<String>) -> Self {
        Self::new(416, message)
    }

    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(422, message)
    }

    pub(crate) fn rate_limit() -> Self {
        Self::new(429, "Your account reached the API rate limit. Please wait a few minutes before making new requests.")
    }

    /// Returns the response of an injected fault.
    pub(crate) fn injected(status: u16) -> Self {
        Self::new(status, "An injected fault.")
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn into_body(self) -> (u16, String) {
        (self.status, json!({ "id": self.id, "message": self.message }).to_string())
    }
}

/// Returns the `id` of a status in Heroku's Platform API reference.
fn id_of(status: u16) -> &'static str {
    match status {
        400 => "bad_request",
        401 => "unauthorized",
        402 => "delinquent",
        403 => "forbidden",
        404 => "not_found",
        406 => "not_acceptable",
        409 => "conflict",
        412 => "precondition_failed",
        416 => "requested_range_not_satisfiable",
        422 => "invalid_params",
        429 => "rate_limit",
        503 => "service_unavailable",
        _ => "internal_server_error",
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, body) = self.into_body();
        json_text(status, body)
    }
}

/// Returns a response with a JSON body.
pub(crate) fn json_text(status: u16, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, "application/json".parse().expect("plain ASCII"));
    response
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Unauthorized => Self::unauthorized(),
            RequestError::Forbidden(what) => Self::forbidden(what),
            RequestError::NotFound(what) => Self::not_found(what),
            RequestError::InvalidParams(message) => Self::invalid_params(message),
        }
    }
}
