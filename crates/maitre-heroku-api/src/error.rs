use std::{fmt, time::Duration};

use maitre_core::mask_urls;
use maitre_http::AttemptError;
use serde_json::Value;

/// Call that issues tokens.
pub(crate) const TOKEN_CALL: &str = "POST /oauth/token";

/// Maximum number of characters of Heroku's message in an error.
const MAX_MESSAGE: usize = 300;

/// Error of a call to Heroku.
///
/// The text contains the call, Heroku's answer and, if possible, a remedy. Predicates distinguish the cases. Neither the
/// text nor the source contains a token, secret or config value, unless Heroku's own message does; passwords in URLs are
/// masked there.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use maitre_heroku_api::{Client, Token};
///
/// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
/// # let heroku = platform.serve().await.unwrap();
/// let client = Client::builder("client secret").base_url(heroku.url()).build().unwrap();
/// let error = client.api(&Token::new("expired")).add_on("7b0c9c1e").await.unwrap_err();
///
/// assert!(error.is_unauthorized() && !error.is_transient());
/// assert_eq!((error.status(), error.id()), (Some(401), Some("unauthorized")));
/// assert!(error.request_id().is_some());
/// assert!(error.to_string().starts_with("GET /addons/7b0c9c1e: 401 unauthorized: Invalid credentials"));
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    /// Method and path of the call; empty for an error of the builder.
    call: String,
    kind: Kind,
}

enum Kind {
    Status(StatusError),
    Unreadable { status: u16, request_id: Option<String>, cause: Cause },
    Transport(reqwest::Error),
    Unsendable(Cause),
    RateLimited(Duration),
    Builder(Cause),
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Response with an error status.
struct StatusError {
    status: u16,
    id: Option<String>,
    message: Option<String>,
    url: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

impl Error {
    fn new(call: &str, kind: Kind) -> Self {
        Self(Box::new(Inner { call: call.to_owned(), kind }))
    }

    pub(crate) fn status_error(
        call: &str,
        status: u16,
        body: &[u8],
        request_id: Option<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        // The OAuth endpoint uses the field names of OAuth.
        let id = text("id").or_else(|| text("error"));
        let message = text("message").or_else(|| text("error_description")).map(|message| shorten(&message));
        Self::new(call, Kind::Status(StatusError { status, id, message, url: text("url"), request_id, retry_after }))
    }

    pub(crate) fn unreadable(call: &str, status: u16, request_id: Option<String>, cause: impl Into<Cause>) -> Self {
        Self::new(call, Kind::Unreadable { status, request_id, cause: cause.into() })
    }

    pub(crate) fn transport(call: &str, cause: reqwest::Error) -> Self {
        Self::new(call, Kind::Transport(cause.without_url()))
    }

    pub(crate) fn unsendable(call: &str, cause: impl Into<Cause>) -> Self {
        Self::new(call, Kind::Unsendable(cause.into()))
    }

    pub(crate) fn rate_limited(call: &str, wait: Duration) -> Self {
        Self::new(call, Kind::RateLimited(wait))
    }

    pub(crate) fn setup(cause: impl Into<Cause>) -> Self {
        Self::new("", Kind::Builder(cause.into()))
    }

    /// Returns the status code, if there was a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.0.kind {
            Kind::Status(error) => Some(error.status),
            Kind::Unreadable { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns Heroku's id of the error, such as `invalid_params`. Branch on it rather than on the message.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.as_status_error()?.id.as_deref()
    }

    /// Returns Heroku's message, truncated to 300 characters.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.as_status_error()?.message.as_deref()
    }

    /// Returns the URL of Heroku's documentation of the error.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.as_status_error()?.url.as_deref()
    }

    /// Returns Heroku's id of the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Status(error) => error.request_id.as_deref(),
            Kind::Unreadable { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// Returns the time to wait before the next attempt, if Heroku or its rate limit requires one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            Kind::Status(error) => error.retry_after,
            Kind::RateLimited(wait) => Some(*wait),
            _ => None,
        }
    }

    /// Whether the token, grant or client secret is invalid or expired (401). Refresh the token once.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(401)
    }

    /// Whether the account has unpaid bills (402).
    #[must_use]
    pub fn is_delinquent(&self) -> bool {
        self.status() == Some(402)
    }

    /// Whether the token does not permit the call (403).
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(403)
    }

    /// Whether the object does not exist or was deleted (404 and 410).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(404 | 410))
    }

    /// Whether Heroku no longer supports the requested API version (406).
    #[must_use]
    pub fn is_not_acceptable(&self) -> bool {
        self.status() == Some(406)
    }

    /// Whether Heroku refused the request as invalid (422).
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.status() == Some(422)
    }

    /// Whether the rate limit was exceeded (429). Also true if this client did not send the call for that reason.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(429) || matches!(self.0.kind, Kind::RateLimited(_))
    }

    /// Whether Heroku answered with a server error (5xx).
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        matches!(self.status(), Some(500..600))
    }

    /// Whether the response was a redirect. Redirects are never followed, as they could send the token to another host.
    #[must_use]
    pub fn is_redirect(&self) -> bool {
        matches!(self.status(), Some(300..400))
    }

    /// Whether the response was a success with an unreadable body.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self.0.kind, Kind::Unreadable { .. })
    }

    /// Whether no connection could be established, so that nothing was sent.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(&self.0.kind, Kind::Transport(cause) if cause.is_connect())
    }

    /// Whether the call timed out. Heroku may have processed it.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(&self.0.kind, Kind::Transport(cause) if cause.is_timeout())
    }

    /// Whether the settings of the client are invalid.
    #[must_use]
    pub fn is_builder(&self) -> bool {
        matches!(self.0.kind, Kind::Builder(_))
    }

    /// Whether a later attempt may succeed: rate limits, server errors, network errors and unreadable responses. The client
    /// has already retried where that is safe.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.is_rate_limited()
            || self.is_server_error()
            || matches!(self.0.kind, Kind::Transport(_) | Kind::Unreadable { .. })
    }

    fn as_status_error(&self) -> Option<&StatusError> {
        match &self.0.kind {
            Kind::Status(error) => Some(error),
            _ => None,
        }
    }

    /// Returns a remedy for the user.
    fn advice(&self) -> Option<&'static str> {
        if self.is_redirect() {
            return Some("redirects are not followed: check the client's URLs");
        }
        Some(match self.status()? {
            401 if self.0.call == TOKEN_CALL => {
                "the grant or refresh token is used or expired, or the client secret differs from that of the partner portal"
            }
            401 => "the token expired: refresh it once",
            406 => "this client requires version 3 of the API",
            _ => return None,
        })
    }
}

impl AttemptError for Error {
    fn may_repeat(&self, idempotent: bool) -> bool {
        match &self.0.kind {
            Kind::Status(StatusError { status: 429, .. }) => true,
            Kind::Status(StatusError { status: 500.., .. }) => idempotent,
            Kind::Transport(cause) => idempotent || cause.is_connect(),
            _ => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after()
    }
}

/// Masks passwords in Heroku's message and truncates it.
fn shorten(message: &str) -> String {
    let masked = mask_urls(message);
    match masked.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{} […]", &masked[..end]),
        None => masked,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.call.is_empty() {
            write!(f, "{}: ", self.0.call)?;
        }
        match &self.0.kind {
            Kind::Status(error) => {
                write!(f, "{}", error.status)?;
                if let Some(id) = &error.id {
                    write!(f, " {id}")?;
                }
                if let Some(message) = &error.message {
                    write!(f, ": {message}")?;
                }
            }
            Kind::Unreadable { status, .. } => write!(f, "{status} with an unreadable body")?,
            Kind::Transport(cause) if cause.is_timeout() => f.write_str("timeout")?,
            Kind::Transport(cause) if cause.is_connect() => f.write_str("cannot connect")?,
            Kind::Transport(_) => f.write_str("the connection failed")?,
            Kind::Unsendable(cause) => write!(f, "cannot send the request: {cause}")?,
            Kind::RateLimited(wait) => write!(f, "rate limited for {} s", wait.as_secs_f32().ceil())?,
            Kind::Builder(cause) => write!(f, "cannot build the client: {cause}")?,
        }
        if let Some(advice) = self.advice() {
            write!(f, " ({advice})")?;
        }
        match self.request_id() {
            Some(id) => write!(f, " [request {id}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Error");
        shown.field("message", &self.to_string());
        if let Some(cause) = std::error::Error::source(self) {
            shown.field("cause", &maitre_core::error_chain(cause));
        }
        shown.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            Kind::Unreadable { cause, .. } => Some(cause.as_ref()),
            Kind::Transport(cause) => Some(cause),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_contains_call_answer_and_remedy() {
        let body = br#"{"id":"invalid_params","message":"bad url https://u:pw@x","url":"https://devcenter"}"#;
        let error = Error::status_error("PATCH /addons/7/config", 422, body, Some("r1".into()), None);
        assert_eq!(error.to_string(), "PATCH /addons/7/config: 422 invalid_params: bad url https://***@x [request r1]",);
        assert_eq!((error.url(), error.is_invalid()), (Some("https://devcenter"), true));

        let error = Error::status_error("POST /oauth/token", 302, b"<html>", None, None);
        assert_eq!(error.to_string(), "POST /oauth/token: 302 (redirects are not followed: check the client's URLs)",);
        let error = Error::rate_limited("GET /addons", Duration::from_millis(1_200));
        assert_eq!(error.to_string(), "GET /addons: rate limited for 2 s");
        assert!(error.is_rate_limited() && error.is_transient());
    }

    #[test]
    fn oauth_field_names_are_parsed() {
        let body = br#"{"error":"invalid_grant","error_description":"gone"}"#;
        let error = Error::status_error("POST /oauth/token", 400, body, None, None);
        assert_eq!((error.id(), error.message()), (Some("invalid_grant"), Some("gone")));
    }

    #[test]
    fn long_messages_are_truncated_between_characters() {
        let body = serde_json::json!({ "message": "é".repeat(MAX_MESSAGE + 1) }).to_string();
        let error = Error::status_error("GET /x", 500, body.as_bytes(), None, None);
        assert!(error.message().is_some_and(|message| message.ends_with("é […]")));
    }

    #[test]
    fn only_safe_calls_are_retried() {
        let error = |status| Error::status_error("GET /x", status, b"", None, None);
        for (status, idempotent, expected) in [
            (429, false, true),
            (429, true, true),
            (500, true, true),
            (503, true, true),
            (503, false, false),
            (401, true, false),
            (404, true, false),
            (422, true, false),
            (302, true, false),
        ] {
            assert_eq!(error(status).may_repeat(idempotent), expected, "{status} {idempotent}");
        }
        assert!(!Error::unreadable("GET /x", 200, None, "not JSON").may_repeat(true));
    }
}
