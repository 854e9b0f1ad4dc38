//! Writing answers: JSON bodies, and one place for what a failure looks like.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maitre_core::{ConfigVars, Failure, FailureKind};
use serde::{Serialize, Serializer};

use crate::contract::Contract;
use crate::payload::BodyRejection;

/// A JSON answer.
///
/// ```
/// use axum::http::StatusCode;
///
/// let response = maitre_axum::json(StatusCode::OK, &serde_json::json!({ "id": "641" }));
/// assert_eq!(response.headers()["content-type"], "application/json");
/// ```
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    // serialising our own structs fails for nothing but a map with keys that are no text, and they have none
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 204 without a body.
///
/// ```
/// assert_eq!(maitre_axum::no_content().status(), 204);
/// ```
#[must_use]
pub fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// ConfigJson vars on the wire: an object of names and values in their order.
///
/// ```
/// use maitre_axum::{ConfigJson, core::Provisioned};
///
/// let reply = Provisioned::new(1).with_config("B", "2").with_config("A", "1");
/// assert_eq!(serde_json::to_string(&ConfigJson(reply.config()))?, r#"{"B":"2","A":"1"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ConfigJson<'a>(pub &'a ConfigVars);

impl<'a> ConfigJson<'a> {
    /// `None` for no vars, so that the key can be left out.
    #[must_use]
    pub fn unless_empty(config: &'a ConfigVars) -> Option<Self> {
        Some(Self(config)).filter(|config| !config.0.is_empty())
    }
}

impl Serialize for ConfigJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value.expose())))
    }
}

#[derive(Serialize)]
struct Message<'a> {
    message: &'a str,
}

/// The body of every success of a Heroku-shaped contract; what is `None` is left out.
///
/// ```
/// use maitre_axum::{ConfigJson, ReplyBody, core::PlanChanged};
///
/// let done = PlanChanged::new().with_message("Now on premium.");
/// let body = ReplyBody { config: ConfigJson::unless_empty(done.config()), message: done.message(), ..ReplyBody::default() };
/// assert_eq!(serde_json::to_string(&body)?, r#"{"message":"Now on premium."}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct ReplyBody<'a> {
    /// The listener's name for the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    /// The config vars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigJson<'a>>,
    /// The sentence for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
}

/// Every answer that is not what the caller hoped for: a status and `{"message"}`.
#[derive(Debug)]
pub(crate) struct ErrorResponse {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl ErrorResponse {
    pub(crate) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into() }
    }

    /// What `M` makes of a listener's failure.
    #[expect(clippy::needless_pass_by_value, reason = "reads as `map_err(ErrorResponse::of::<M>)`")]
    pub(crate) fn of<M: Contract>(failure: Failure) -> Self {
        Self::new(M::status(failure.kind()), sentence(&failure).to_owned())
    }
}

impl From<BodyRejection> for ErrorResponse {
    fn from(malformed: BodyRejection) -> Self {
        tracing::warn!(status = malformed.status().as_u16(), "refused a request that cannot be read: {malformed}");
        Self::new(malformed.status(), malformed.into_message())
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        json(self.status, &Message { message: &self.message })
    }
}

/// What a customer is told: the listener's own sentence, or one that fits the failure.
pub(crate) fn sentence(failure: &Failure) -> &str {
    failure.message().unwrap_or(match failure.kind() {
        FailureKind::Unknown => "There is no such resource.",
        FailureKind::Gone => "This resource was removed.",
        FailureKind::Refused | FailureKind::Conflict => "This cannot be done.",
        _ => "The add-on cannot answer at the moment. Please try again in a few minutes.",
    })
}
