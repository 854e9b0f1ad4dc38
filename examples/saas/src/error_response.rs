//! Error responses of the API: a status and a JSON object with a message.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(crate) struct ErrorResponse(pub(crate) StatusCode, pub(crate) &'static str);

impl From<sqlx::Error> for ErrorResponse {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the database failed");
        Self(StatusCode::SERVICE_UNAVAILABLE, "Tally is temporarily unavailable.")
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let Self(status, message) = self;
        let challenge = (status == StatusCode::UNAUTHORIZED).then_some([("www-authenticate", "Bearer")]);
        (status, challenge, Json(json!({ "message": message }))).into_response()
    }
}

pub(crate) async fn not_found() -> ErrorResponse {
    ErrorResponse(StatusCode::NOT_FOUND, "There is nothing at this address.")
}

pub(crate) async fn method_not_allowed() -> ErrorResponse {
    ErrorResponse(StatusCode::METHOD_NOT_ALLOWED, "This address does not support the method: see the Allow header.")
}
