use std::{fmt, time::Duration};

use maitre_http::CallError;

/// Error of a call to Vercel.
///
/// The text contains the call and Vercel's answer. Predicates distinguish the cases. Neither the text nor the source
/// contains a token or secret, unless Vercel's own message does; passwords in URLs are masked there.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_vercel::{Client, connect};
///
/// # let vercel = maitre_testkit::vercel::Platform::new("oac_lantern", "client secret");
/// # let server = vercel.serve().await?;
/// # let installation = vercel.new_installation();
/// # vercel.remove(&installation);
/// let client = Client::new("oac_lantern", "client secret", connect().url(server.url()).build()?)?;
/// let api = client.installation(installation.id(), installation.access_token().into());
/// let error = api.resources().await.unwrap_err();
/// assert!(error.is_installation_gone() && !error.is_transient());
/// assert_eq!(error.code(), Some("gone"));
/// # Ok(())
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
    /// Returns the status code, if there was a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status()
    }

    /// Returns Vercel's code of the error, such as `conflict`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.refusal()?.code.as_deref()
    }

    /// Returns Vercel's message, truncated to 300 characters.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.0.refusal()?.message.as_deref()
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
        self.0.is_rate_limited()
    }

    /// Whether Vercel answered with a server error (5xx).
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        self.0.is_server_error()
    }

    /// Whether a later attempt may succeed: rate limits, server errors, network errors and unreadable responses. The client
    /// has already retried where that is safe.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.is_transient()
    }

    /// Returns the time to wait before the next attempt, if Vercel or its rate limit requires one.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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
