//! Error responses.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maitre_core::{Failure, FailureKind};
use serde::Serialize;

use crate::rejection::BodyRejection;
use crate::reply::json;

#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
}

/// An error response: status and `{"message"}` body.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl ErrorResponse {
    pub(crate) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into() }
    }
}

impl From<BodyRejection> for ErrorResponse {
    fn from(rejection: BodyRejection) -> Self {
        tracing::warn!(status = rejection.status().as_u16(), "refused a request that cannot be read: {rejection}");
        Self::new(rejection.status(), rejection.into_message())
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        json(self.status, &Message { message: &self.message })
    }
}

/// Returns the message for the customer: the listener's own, or a general one for the kind of failure.
pub(crate) fn public_message(failure: &Failure) -> &str {
    failure.message().unwrap_or(match failure.kind() {
        FailureKind::Unknown => "This resource does not exist.",
        FailureKind::Gone => "This resource was removed.",
        FailureKind::Refused | FailureKind::Conflict => "The add-on provider declined this request.",
        _ => "The add-on cannot answer at the moment. Please try again in a few minutes.",
    })
}
