//! Rejection of a request body.

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;

/// Rejection of a request body: answered with a status and `{"message"}`, without a call of the listener.
///
/// ```
/// use axum::http::StatusCode;
/// use maitre_axum::BodyRejection;
///
/// let rejection = BodyRejection::new("uuid is not a UUID.");
/// assert_eq!((rejection.status(), rejection.message()), (StatusCode::BAD_REQUEST, "uuid is not a UUID."));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyRejection {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl BodyRejection {
    /// Creates a 400 with a message that names the problem and its position.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    /// Creates a 422 for a valid body that is declined. The marketplace shows the message to the customer.
    pub fn unprocessable(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, message: message.into() }
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("The body is longer than the limit of {limit} bytes.");
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, message: message.into() }
    }

    /// Creates a 415 for a compressed or otherwise encoded body.
    pub(crate) fn encoded() -> Self {
        let message = "The body has a Content-Encoding that is not supported: send it without one.";
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, message: message.into() }
    }

    /// Creates a 408 for a body that did not arrive in time.
    pub(crate) fn timed_out() -> Self {
        Self { status: StatusCode::REQUEST_TIMEOUT, message: "The body did not arrive in time.".into() }
    }

    pub(crate) fn into_message(self) -> Cow<'static, str> {
        self.message
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for BodyRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BodyRejection {}
