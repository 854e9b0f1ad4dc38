//! Response bodies.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use maitre_core::{ConfigVars, PlanChanged};
use serde::{Serialize, Serializer};

/// Creates a JSON response.
///
/// ```
/// use axum::http::StatusCode;
///
/// let response = maitre_axum::json(StatusCode::OK, &serde_json::json!({ "id": "641" }));
/// assert_eq!(response.headers()["content-type"], "application/json");
/// ```
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    // serialization fails only for maps with keys that are not text, which our structs do not have
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Creates a 204 without a body.
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

/// Config vars as JSON: an object of names and values in order.
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
    /// Returns `None` if the set is empty, so that the key can be omitted.
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

/// Body of a success response in contracts like Heroku's. `None` is omitted.
///
/// ```
/// use maitre_axum::{ReplyBody, core::PlanChanged};
///
/// let done = PlanChanged::new().with_message("Now on premium.");
/// assert_eq!(serde_json::to_string(&ReplyBody::from(&done))?, r#"{"message":"Now on premium."}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct ReplyBody<'a> {
    /// The vendor's id of the resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    /// Config vars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigJson<'a>>,
    /// Message for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
}

/// Each part is omitted if it is empty: the app's config vars stay unchanged.
impl<'a> From<&'a PlanChanged> for ReplyBody<'a> {
    fn from(reply: &'a PlanChanged) -> Self {
        Self { id: None, config: ConfigJson::unless_empty(reply.config()), message: reply.message() }
    }
}
