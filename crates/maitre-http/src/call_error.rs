use std::{error::Error, fmt, time::Duration};

use maitre_core::{error_chain, mask_urls};
use serde_json::Value;

/// Maximum number of characters of the marketplace's message in an error.
const MAX_MESSAGE: usize = 300;

type Cause = Box<dyn Error + Send + Sync>;

/// Error of a call to a marketplace. The error of a client wraps it, and adds predicates and advice.
///
/// The text contains the call and the marketplace's answer. Neither the text nor the source contains a token or secret,
/// unless the marketplace's own message does; passwords in URLs are masked there.
///
/// ```
/// use maitre_http::{CallError, Refusal, message};
///
/// let body = serde_json::json!({ "message": "bad url https://u:pw@x" });
/// let refusal = Refusal { code: Some("invalid".into()), message: message(&body["message"]), ..Refusal::new(422) };
/// let error = CallError::refused("PATCH /resources/7", refusal);
/// assert_eq!(error.to_string(), "PATCH /resources/7: 422 invalid: bad url https://***@x");
/// assert!(!error.is_transient());
/// ```
pub struct CallError(Box<Inner>);

struct Inner {
    /// Method and path of the call; empty for an error of the builder.
    call: String,
    kind: Kind,
}

enum Kind {
    Refused(Refusal),
    Unreadable { status: u16, request_id: Option<String>, cause: Cause },
    Transport(reqwest::Error),
    Unsendable(Cause),
    RateLimited(Duration),
    Builder(Cause),
}

/// Response with an error status.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Status code.
    pub status: u16,
    /// Marketplace's code of the error.
    pub code: Option<String>,
    /// Marketplace's [message].
    pub message: Option<String>,
    /// URL of the documentation of the error.
    pub url: Option<String>,
    /// Marketplace's id of the request.
    pub request_id: Option<String>,
    /// Time to wait before the next attempt.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Creates a refusal without further information.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, code: None, message: None, url: None, request_id: None, retry_after: None }
    }
}

impl CallError {
    fn new(call: &str, kind: Kind) -> Self {
        Self(Box::new(Inner { call: call.to_owned(), kind }))
    }

    /// Creates the error of a response with an error status.
    #[must_use]
    pub fn refused(call: &str, refusal: Refusal) -> Self {
        Self::new(call, Kind::Refused(refusal))
    }

    /// Creates the error of a success whose body cannot be used.
    #[must_use]
    pub fn unreadable(call: &str, status: u16, request_id: Option<String>, cause: impl Into<Cause>) -> Self {
        Self::new(call, Kind::Unreadable { status, request_id, cause: cause.into() })
    }

    /// Creates the error of a connection.
    #[must_use]
    pub fn transport(call: &str, cause: reqwest::Error) -> Self {
        Self::new(call, Kind::Transport(cause.without_url()))
    }

    /// Creates the error of a request that cannot be built.
    #[must_use]
    pub fn unsendable(call: &str, cause: impl Into<Cause>) -> Self {
        Self::new(call, Kind::Unsendable(cause.into()))
    }

    /// Creates the error of a call that was not sent, because the rate limit requires this wait.
    #[must_use]
    pub fn rate_limited(call: &str, wait: Duration) -> Self {
        Self::new(call, Kind::RateLimited(wait))
    }

    /// Creates the error of invalid settings.
    #[must_use]
    pub fn setup(cause: impl Into<Cause>) -> Self {
        Self::new("", Kind::Builder(cause.into()))
    }

    /// Returns method and path of the call.
    #[must_use]
    pub fn call(&self) -> &str {
        &self.0.call
    }

    /// Returns the response, if it has an error status.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.0.kind {
            Kind::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Returns the status code, if there was a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.0.kind {
            Kind::Refused(refusal) => Some(refusal.status),
            Kind::Unreadable { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns the marketplace's id of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Refused(refusal) => refusal.request_id.as_deref(),
            Kind::Unreadable { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// Returns the time to wait before the next attempt, if the marketplace or its rate limit requires one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            Kind::Refused(refusal) => refusal.retry_after,
            Kind::RateLimited(wait) => Some(*wait),
            _ => None,
        }
    }

    /// Whether the credentials are invalid or expired (401).
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(401)
    }

    /// Whether the object does not exist or was deleted (404 and 410).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(404 | 410))
    }

    /// Whether the rate limit was exceeded (429). Also true if the call was not sent for that reason.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(429) || matches!(self.0.kind, Kind::RateLimited(_))
    }

    /// Whether the marketplace answered with a server error (5xx).
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        matches!(self.status(), Some(500..600))
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

    /// Whether the call timed out. The marketplace may have processed it.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(&self.0.kind, Kind::Transport(cause) if cause.is_timeout())
    }

    /// Whether the settings of the client are invalid.
    #[must_use]
    pub fn is_builder(&self) -> bool {
        matches!(self.0.kind, Kind::Builder(_))
    }

    /// Whether a later attempt may succeed: rate limits, server errors, network errors and unreadable responses.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.is_rate_limited()
            || self.is_server_error()
            || matches!(self.0.kind, Kind::Transport(_) | Kind::Unreadable { .. })
    }

    /// Whether the call may be repeated. One that is not idempotent is repeated only if it was not processed.
    pub(crate) fn may_repeat(&self, idempotent: bool) -> bool {
        match &self.0.kind {
            Kind::Refused(Refusal { status: 429, .. }) => true,
            Kind::Refused(Refusal { status: 500.., .. }) => idempotent,
            Kind::Transport(cause) => idempotent || cause.is_connect(),
            _ => false,
        }
    }

    /// Writes the fields of a wrapper for `Debug`: its text and the chain of causes.
    ///
    /// # Errors
    /// Returns an error if `f` does.
    pub fn debug(wrapper: &impl Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Error");
        shown.field("message", &wrapper.to_string());
        if let Some(cause) = wrapper.source() {
            shown.field("cause", &error_chain(cause));
        }
        shown.finish()
    }
}

/// Returns the marketplace's message in a field, with masked passwords and truncated to 300 characters.
#[must_use]
pub fn message(field: &Value) -> Option<String> {
    let masked = mask_urls(field.as_str()?);
    Some(match masked.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{} […]", &masked[..end]),
        None => masked,
    })
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.call.is_empty() {
            write!(f, "{}: ", self.0.call)?;
        }
        match &self.0.kind {
            Kind::Refused(refusal) => {
                write!(f, "{}", refusal.status)?;
                if let Some(code) = &refusal.code {
                    write!(f, " {code}")?;
                }
                match &refusal.message {
                    Some(message) => write!(f, ": {message}"),
                    None => Ok(()),
                }
            }
            Kind::Unreadable { status, .. } => write!(f, "{status} with an unreadable body"),
            Kind::Transport(cause) if cause.is_timeout() => f.write_str("timeout"),
            Kind::Transport(cause) if cause.is_connect() => f.write_str("cannot connect"),
            Kind::Transport(_) => f.write_str("the connection failed"),
            Kind::Unsendable(cause) => write!(f, "cannot send the request: {cause}"),
            Kind::RateLimited(wait) => write!(f, "rate limited for {} s", wait.as_secs_f32().ceil()),
            Kind::Builder(cause) => write!(f, "cannot build the client: {cause}"),
        }
    }
}

impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::debug(self, f)
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.kind {
            Kind::Unreadable { cause, .. } => Some(cause.as_ref()),
            Kind::Transport(cause) => Some(cause),
            _ => None,
        }
    }
}

impl AsRef<Self> for CallError {
    fn as_ref(&self) -> &Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_truncated_between_characters() {
        let long = message(&"é".repeat(MAX_MESSAGE + 1).into());
        assert!(long.is_some_and(|message| message.ends_with("é […]")));
        assert_eq!(message(&Value::Null), None);
    }

    #[test]
    fn a_call_that_waits_too_long_is_transient() {
        let error = CallError::rate_limited("GET /addons", Duration::from_millis(1_200));
        assert_eq!(error.to_string(), "GET /addons: rate limited for 2 s");
        assert!(error.is_rate_limited() && error.is_transient());
    }

    #[test]
    fn only_safe_calls_are_retried() {
        for (status, idempotent, expected) in [
            (429, false, true),
            (429, true, true),
            (500, true, true),
            (503, true, true),
            (503, false, false),
            (401, true, false),
            (404, true, false),
            (409, true, false),
            (410, true, false),
            (422, true, false),
            (302, true, false),
        ] {
            let error = CallError::refused("GET /x", Refusal::new(status));
            assert_eq!(error.may_repeat(idempotent), expected, "{status} {idempotent}");
        }
        assert!(!CallError::unreadable("GET /x", 200, None, "not JSON").may_repeat(true));
    }
}
