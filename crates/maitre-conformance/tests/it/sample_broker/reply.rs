//! Replies of the sample broker.

use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(super) fn answer(status: u16, body: &Value) -> Response {
    let json = HeaderValue::from_static("application/json");
    (StatusCode::from_u16(status).unwrap(), [("content-type", json)], body.to_string()).into_response()
}

/// Returns a reply without a body.
pub(super) fn status(status: u16) -> Response {
    StatusCode::from_u16(status).unwrap().into_response()
}

pub(super) fn error(status: u16, description: &str) -> Response {
    answer(status, &json!({ "description": description }))
}

pub(super) fn code(error: &str) -> Response {
    answer(422, &json!({ "error": error, "description": "The request cannot be processed now." }))
}
