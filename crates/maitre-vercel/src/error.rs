use std::{fmt, time::Duration};

use maitre_core::mask_urls;
use maitre_http::AttemptError;
use serde_json::Value;

/// Maximum number of characters of Vercel's message in an error.
const MAX_MESSAGE: usize = 300;

/// Error of a call to Vercel.
///
/// The text contains the call and Vercel's answer. Predicates distinguish the cases. Neither the text nor the source
/// contains a token or secret, unless Vercel's own message does; passwords in URLs are masked there.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_vercel::Client;
///
/// # let vercel = maitre_testkit::vercel::Platform::new("oac_lantern", "client secret");
/// # let server = vercel.serve().await?;
/// # let installation = vercel.new_installation();
/// # vercel.remove(&installation);
/// let client = Client::builder("oac_lantern", "client secret").api_url(server.url()).build()?;
/// let api = client.installation(installation.id(), installation.access_token().into());
/// let error = api.resources().await.unwrap_err();
/// assert!(error.is_installation_gone() && !error.is_transient());
/// assert_eq!(error.code(), Some("gone"));
/// # Ok(())
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
    Unreadable { status: u16, cause: String },
    Transport(reqwest::Error),
    Unsendable(String),
    RateLimited(Duration),
    Builder(String),
}

/// Response with an error status.
struct StatusError {
    status: u16,
    code: Option<String>,
    message: Option<String>,
    retry_after: Option<Duration>,
}

impl Error {
    fn new(call: &str, kind: Kind) -> Self {
        Self(Box::new(Inner { call: call.to_owned(), kind }))
    }

    pub(crate) fn status_error(call: &str, status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body["error"][name].as_str().map(str::to_owned);
        let message = text("message").map(|message| shorten(&message));
        Self::new(call, Kind::Status(StatusError { status, code: text("code"), message, retry_after }))
    }

    pub(crate) fn unreadable(call: &str, status: u16, cause: impl Into<String>) -> Self {
        Self::new(call, Kind::Unreadable { status, cause: cause.into() })
    }

    pub(crate) fn transport(call: &str, cause: reqwest::Error) -> Self {
        Self::new(call, Kind::Transport(cause.without_url()))
    }

    pub(crate) fn unsendable(call: &str, cause: impl Into<String>) -> Self {
        Self::new(call, Kind::Unsendable(cause.into()))
    }

    pub(crate) fn rate_limited(call: &str, wait: Duration) -> Self {
        Self::new(call, Kind::RateLimited(wait))
    }

    pub(crate) fn setup(cause: impl Into<String>) -> Self {
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

    /// Returns Vercel's code of the error, such as `conflict`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.as_status_error()?.code.as_deref()
    }

    /// Returns Vercel's message, truncated to 300 characters.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.as_status_error()?.message.as_deref()
    }

    /// Whether the installation no longer exists (410): it was uninstalled, and its access token is useless.
    #[must_use]
    pub fn is_installation_gone(&self) -> bool {
        self.status() == Some(410)
    }

    /// Whether the access token is invalid (401).
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(401)
    }

    /// Whether the token does not permit the call (403).
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(403)
    }

    /// Whether the object does not exist (404).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Whether the current state does not permit the call, or the object already exists (409).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }

    /// Whether Vercel refused the request as invalid (400 and 422).
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self.status(), Some(400 | 422))
    }

    /// Whether the rate limit was exceeded (429). Also true if this client did not send the call for that reason.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(429) || matches!(self.0.kind, Kind::RateLimited(_))
    }

    /// Whether Vercel answered with a server error (5xx).
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        matches!(self.status(), Some(500..600))
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

    /// Returns the time to wait before the next attempt, if Vercel or its rate limit requires one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            Kind::Status(error) => error.retry_after,
            Kind::RateLimited(wait) => Some(*wait),
            _ => None,
        }
    }

    fn as_status_error(&self) -> Option<&StatusError> {
        match &self.0.kind {
            Kind::Status(error) => Some(error),
            _ => None,
        }
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

/// Masks passwords in Vercel's message and truncates it.
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
                if let Some(code) = &error.code {
                    write!(f, " {code}")?;
                }
                match &error.message {
                    Some(message) => write!(f, ": {message}"),
                    None => Ok(()),
                }
            }
            Kind::Unreadable { status, cause } => write!(f, "{status} with an unreadable body: {cause}"),
            Kind::Transport(cause) if cause.is_timeout() => f.write_str("timeout"),
            Kind::Transport(cause) if cause.is_connect() => f.write_str("cannot connect"),
            Kind::Transport(_) => f.write_str("the connection failed"),
            Kind::Unsendable(cause) => write!(f, "cannot send the request: {cause}"),
            Kind::RateLimited(wait) => write!(f, "rate limited for {} s", wait.as_secs_f32().ceil()),
            Kind::Builder(cause) => write!(f, "cannot build the client: {cause}"),
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
            Kind::Transport(cause) => Some(cause),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_contains_call_and_answer() {
        let body = br#"{"error":{"code":"conflict","message":"see https://u:pw@x"}}"#;
        let error = Error::status_error("PATCH /v1/installations/7", 409, body, None);
        assert_eq!(error.to_string(), "PATCH /v1/installations/7: 409 conflict: see https://***@x");
        assert!(error.is_conflict());
        assert_eq!(Error::status_error("GET /x", 502, b"<html>", None).to_string(), "GET /x: 502");
    }

    #[test]
    fn only_safe_calls_are_retried() {
        for (status, idempotent, expected) in [
            (429, false, true),
            (503, true, true),
            (503, false, false),
            (401, true, false),
            (409, true, false),
            (410, true, false),
            (302, true, false),
        ] {
            let error = Error::status_error("GET /x", status, b"", None);
            assert_eq!(error.may_repeat(idempotent), expected, "{status} {idempotent}");
        }
        assert!(!Error::unreadable("GET /x", 200, "not JSON").may_repeat(true));
    }
}
