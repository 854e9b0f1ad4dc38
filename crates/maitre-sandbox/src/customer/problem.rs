//! Error responses in Heroku's format.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    id: &'static str,
    message: String,
}

impl Problem {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, id: "bad_request", message: message.into() }
    }

    /// Missing or wrong key.
    pub(super) fn unauthorized() -> Self {
        let message = "Invalid credentials provided.".to_owned();
        Self { status: StatusCode::UNAUTHORIZED, id: "unauthorized", message }
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, id: "not_found", message: format!("Couldn't find that {what}.") }
    }

    pub(super) fn invalid_params(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, id: "invalid_params", message: message.into() }
    }

    /// Error with the message of the add-on.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, id: "provider_error", message: message.into() }
    }

    /// Unknown plan. The CLI recognizes the start of this message and lists the plans.
    pub(super) fn unknown_plan(named: &str) -> Self {
        Self::invalid_params(format!("Couldn't find either the add-on service or the add-on plan of \"{named}\"."))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "id": self.id, "message": self.message }))).into_response()
    }
}
