use std::{fmt, time::Duration};

use maitre_http::{CallError, Refusal, message};
use serde_json::Value;

/// Call that issues tokens.
pub(crate) const TOKEN_CALL: &str = "POST /oauth/token";

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
pub struct Error(CallError);

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        Self(error)
    }
}

impl AsRef<CallError> for Error {
    fn as_ref(&self) -> &CallError {
        &self.0
    }
}

impl Error {
    pub(crate) fn refused(
        call: &str,
        status: u16,
        body: &[u8],
        request_id: Option<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        // The OAuth endpoint uses the field names of OAuth.
        let code = text("id").or_else(|| text("error"));
        let message = message(&body["message"]).or_else(|| message(&body["error_description"]));
        let refusal = Refusal { status, code, message, url: text("url"), request_id, retry_after };
        CallError::refused(call, refusal).into()
    }

    /// Returns the status code, if there was a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status()
    }

    /// Returns Heroku's id of the error, such as `invalid_params`. Branch on it rather than on the message.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.refusal()?.code.as_deref()
    }

    /// Returns Heroku's message, truncated to 300 characters.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.refusal()?.message.as_deref()
    }

    /// Returns the URL of Heroku's documentation of the error.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.refusal()?.url.as_deref()
    }

    /// Returns Heroku's id of the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id()
    }

    /// Returns the time to wait before the next attempt, if Heroku or its rate limit requires one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after()
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
        self.0.is_rate_limited()
    }

    /// Whether Heroku answered with a server error (5xx).
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        self.0.is_server_error()
    }

    /// Whether the response was a redirect. Redirects are never followed, as they could send the token to another host.
    #[must_use]
    pub fn is_redirect(&self) -> bool {
        matches!(self.status(), Some(300..400))
    }

    /// Whether the response was a success with an unreadable body.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.0.is_unreadable()
    }

    /// Whether no connection could be established, so that nothing was sent.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.0.is_connect()
    }

    /// Whether the call timed out. Heroku may have processed it.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.0.is_timeout()
    }

    /// Whether the settings of the client are invalid.
    #[must_use]
    pub fn is_builder(&self) -> bool {
        self.0.is_builder()
    }

    /// Whether a later attempt may succeed: rate limits, server errors, network errors and unreadable responses. The client
    /// has already retried where that is safe.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.is_transient()
    }

    /// Returns a remedy for the user.
    fn advice(&self) -> Option<&'static str> {
        if self.is_redirect() {
            return Some("redirects are not followed: check the client's URLs");
        }
        Some(match self.status()? {
            401 if self.0.call() == TOKEN_CALL => {
                "the grant or refresh token is used or expired, or the client secret differs from that of the partner portal"
            }
            401 => "the token expired: refresh it once",
            406 => "this client requires version 3 of the API",
            _ => return None,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
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
        CallError::debug(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_contains_call_answer_and_remedy() {
        let body = br#"{"id":"invalid_params","message":"bad url https://u:pw@x","url":"https://devcenter"}"#;
        let error = Error::refused("PATCH /addons/7/config", 422, body, Some("r1".into()), None);
        assert_eq!(error.to_string(), "PATCH /addons/7/config: 422 invalid_params: bad url https://***@x [request r1]",);
        assert_eq!((error.url(), error.is_invalid()), (Some("https://devcenter"), true));

        let error = Error::refused("POST /oauth/token", 302, b"<html>", None, None);
        assert_eq!(error.to_string(), "POST /oauth/token: 302 (redirects are not followed: check the client's URLs)",);
    }

    #[test]
    fn oauth_field_names_are_parsed() {
        let body = br#"{"error":"invalid_grant","error_description":"gone"}"#;
        let error = Error::refused("POST /oauth/token", 400, body, None, None);
        assert_eq!((error.id(), error.message()), (Some("invalid_grant"), Some("gone")));
    }
}
