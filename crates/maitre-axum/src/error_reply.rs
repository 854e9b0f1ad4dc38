//! Errors that are answered to a marketplace.

use std::borrow::Cow;
use std::fmt;

use axum::http::header::{HeaderName, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use maitre_core::{Failure, FailureKind};
use serde_json::{Map, Value};

/// An error to be answered: status, message, and what a contract adds to them.
///
/// It is independent of the marketplace; [`Contract::error`](crate::Contract::error) writes it in the contract's shape.
///
/// ```
/// use axum::http::StatusCode;
/// use maitre_axum::ErrorReply;
///
/// let error = ErrorReply::bad_request("uuid is not a UUID.");
/// assert_eq!((error.status(), error.message()), (StatusCode::BAD_REQUEST, "uuid is not a UUID."));
///
/// let error = ErrorReply::new(StatusCode::CONFLICT, "This stall is taken.").with_code("stall_taken");
/// assert_eq!(error.code(), Some("stall_taken"));
/// ```
#[derive(Debug, Clone)]
pub struct ErrorReply(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    message: Cow<'static, str>,
    code: Option<Cow<'static, str>>,
    details: Map<String, Value>,
    headers: HeaderMap,
}

impl ErrorReply {
    /// Creates an error. The message is a full sentence, which the marketplace may show to the customer.
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            status,
            message: message.into(),
            code: None,
            details: Map::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// Creates a 400 with a message that names the problem and its position.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Creates a 401 with a `WWW-Authenticate` header.
    ///
    /// ```
    /// use maitre_axum::ErrorReply;
    ///
    /// let error = ErrorReply::unauthorized(r#"Basic realm="Bazaar""#);
    /// assert_eq!(error.headers()["www-authenticate"], r#"Basic realm="Bazaar""#);
    /// ```
    #[must_use]
    pub fn unauthorized(challenge: &'static str) -> Self {
        let error = Self::new(StatusCode::UNAUTHORIZED, "The credentials are missing or wrong.");
        error.with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// Creates a 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "This resource does not exist.")
    }

    /// Creates a 422 for a valid request that is declined. The marketplace shows the message to the customer.
    pub fn unprocessable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// Creates a 503.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The add-on cannot answer at the moment.")
    }

    /// Creates the answer to a failure, with the listener's code, and its message or a general one for the kind of failure.
    ///
    /// ```
    /// use axum::http::StatusCode;
    /// use maitre_axum::{ErrorReply, core::Failure};
    ///
    /// let error = ErrorReply::from_failure(StatusCode::GONE, &Failure::gone());
    /// assert_eq!(error.message(), "This resource was removed.");
    /// ```
    #[must_use]
    pub fn from_failure(status: StatusCode, failure: &Failure) -> Self {
        let mut error = Self::new(status, public_message(failure).to_owned());
        error.0.code = failure.code().map(|code| code.to_owned().into());
        error
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("The body is longer than the limit of {limit} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// Creates a 415 for a compressed or otherwise encoded body.
    pub(crate) fn encoded() -> Self {
        let message = "The body has a Content-Encoding that is not supported: send it without one.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// Creates a 408 for a body that did not arrive in time.
    pub(crate) fn timed_out() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.")
    }

    /// Sets a machine-readable code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Adds a field for the contract's body.
    #[must_use]
    pub fn with_detail(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.details.insert(name.into(), value.into());
        self
    }

    /// Sets a header of the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the machine-readable code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the fields for the contract's body.
    #[must_use]
    pub fn details(&self) -> &Map<String, Value> {
        &self.0.details
    }

    /// Returns the headers. They are added to the response automatically.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }
}

impl fmt::Display for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for ErrorReply {}

/// Returns the message for the customer: the listener's own, or a general one for the kind of failure.
pub(crate) fn public_message(failure: &Failure) -> &str {
    failure.message().unwrap_or(match failure.kind() {
        FailureKind::Unknown => "This resource does not exist.",
        FailureKind::Gone => "This resource was removed.",
        FailureKind::Refused | FailureKind::Conflict => "The add-on provider declined this request.",
        FailureKind::Concurrent => {
            "Another operation of this resource is in progress. Please try again when it has completed."
        }
        FailureKind::AsyncRequired => "This operation takes longer than a response: an asynchronous request is needed.",
        _ => "The add-on cannot answer at the moment. Please try again in a few minutes.",
    })
}
