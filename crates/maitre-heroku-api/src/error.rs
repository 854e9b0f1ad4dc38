use std::{fmt, time::Duration};

use maitre_core::mask_urls;
use serde_json::Value;

/// The call that makes tokens.
pub(crate) const TOKEN_CALL: &str = "POST /oauth/token";

/// How much of Heroku's own words an error repeats, in characters.
const WORDS: usize = 300;

/// Why a call did not give what it should.
///
/// It says which call it was, what Heroku answered, and where there is something to be done, what. The predicates tell
/// the cases apart; more of them may come. Neither the text nor the source holds a token, a secret or a config value,
/// unless Heroku's own sentence repeats one: passwords in URLs are masked there.
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
    /// Method and path of the call; empty where there was none.
    call: String,
    what: What,
}

enum What {
    Answered(Answered),
    Unreadable { status: u16, request_id: Option<String>, cause: Cause },
    Transport(reqwest::Error),
    Unsendable(Cause),
    Paced(Duration),
    Setup(Cause),
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An answer that is no success.
struct Answered {
    status: u16,
    id: Option<String>,
    message: Option<String>,
    url: Option<String>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
}

impl Error {
    fn new(call: &str, what: What) -> Self {
        Self(Box::new(Inner { call: call.to_owned(), what }))
    }

    pub(crate) fn answered(
        call: &str,
        status: u16,
        body: &[u8],
        request_id: Option<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        // what stands before the API proper writes OAuth's own names
        let id = text("id").or_else(|| text("error"));
        let message = text("message").or_else(|| text("error_description")).map(|message| brief(&message));
        Self::new(call, What::Answered(Answered { status, id, message, url: text("url"), request_id, retry_after }))
    }

    pub(crate) fn unreadable(call: &str, status: u16, request_id: Option<String>, cause: impl Into<Cause>) -> Self {
        Self::new(call, What::Unreadable { status, request_id, cause: cause.into() })
    }

    pub(crate) fn transport(call: &str, cause: reqwest::Error) -> Self {
        Self::new(call, What::Transport(cause.without_url()))
    }

    pub(crate) fn unsendable(call: &str, cause: impl Into<Cause>) -> Self {
        Self::new(call, What::Unsendable(cause.into()))
    }

    pub(crate) fn paced(call: &str, wait: Duration) -> Self {
        Self::new(call, What::Paced(wait))
    }

    pub(crate) fn setup(cause: impl Into<Cause>) -> Self {
        Self::new("", What::Setup(cause.into()))
    }

    /// The status, where Heroku answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.0.what {
            What::Answered(answered) => Some(answered.status),
            What::Unreadable { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Heroku's name of the error, such as `invalid_params`: what to branch on, never the text.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.as_answered()?.id.as_deref()
    }

    /// Heroku's sentence, cut after 300 characters.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.as_answered()?.message.as_deref()
    }

    /// The page on which Heroku says more.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.as_answered()?.url.as_deref()
    }

    /// Heroku's id of the request, for its support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match &self.0.what {
            What::Answered(answered) => answered.request_id.as_deref(),
            What::Unreadable { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// How long to wait before the next try, where Heroku or its rate limit says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.what {
            What::Answered(answered) => answered.retry_after,
            What::Paced(wait) => Some(*wait),
            _ => None,
        }
    }

    /// The token, the grant or the client secret is not good, or no longer: refresh the token once. 401.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(401)
    }

    /// The account owes money. 402.
    #[must_use]
    pub fn is_delinquent(&self) -> bool {
        self.status() == Some(402)
    }

    /// The token does not reach this. 403.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(403)
    }

    /// There is no such thing, or no longer. 404 and 410.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(404 | 410))
    }

    /// Heroku does not speak the asked version of its API any more. 406.
    #[must_use]
    pub fn is_not_acceptable(&self) -> bool {
        self.status() == Some(406)
    }

    /// Heroku understood, and will not. 422.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.status() == Some(422)
    }

    /// Too many requests. 429, also where this client held the call back because there was no request left.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(429) || matches!(self.0.what, What::Paced(_))
    }

    /// Heroku has a fault of its own. 5xx.
    #[must_use]
    pub fn is_server_error(&self) -> bool {
        matches!(self.status(), Some(500..600))
    }

    /// Heroku, or something before it, answered with a redirect, which is never followed: a token must not travel.
    #[must_use]
    pub fn is_redirect(&self) -> bool {
        matches!(self.status(), Some(300..400))
    }

    /// The answer was a success that could not be understood.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self.0.what, What::Unreadable { .. })
    }

    /// No connection came about, so nothing was asked.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(&self.0.what, What::Transport(cause) if cause.is_connect())
    }

    /// There was no answer in time. What was asked may have been done.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(&self.0.what, What::Transport(cause) if cause.is_timeout())
    }

    /// The settings of the client cannot be used.
    #[must_use]
    pub fn is_builder(&self) -> bool {
        matches!(self.0.what, What::Setup(_))
    }

    /// Whether it may be otherwise later: rate limits, faults of Heroku, of the network and on the way. What may be
    /// repeated at once, the client repeated already.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.is_rate_limited()
            || self.is_server_error()
            || matches!(self.0.what, What::Transport(_) | What::Unreadable { .. })
    }

    /// Whether asking again does no harm. What is not idempotent may be asked again if it was not done for sure.
    pub(crate) fn may_repeat(&self, idempotent: bool) -> bool {
        match &self.0.what {
            What::Answered(Answered { status: 429, .. }) => true,
            What::Answered(Answered { status: 500.., .. }) => idempotent,
            What::Transport(cause) => idempotent || cause.is_connect(),
            _ => false,
        }
    }

    fn as_answered(&self) -> Option<&Answered> {
        match &self.0.what {
            What::Answered(answered) => Some(answered),
            _ => None,
        }
    }

    /// What the user can do about it.
    fn advice(&self) -> Option<&'static str> {
        if self.is_redirect() {
            return Some("redirects are not followed: check the client's URLs");
        }
        Some(match self.status()? {
            401 if self.0.call == TOKEN_CALL => {
                "what was exchanged is spent or at its end, or the client secret is not that of the partner portal"
            }
            401 => "the token ended: refresh it once",
            406 => "this version of the client asks for version 3 of the API",
            _ => return None,
        })
    }
}

/// Heroku's words without passwords, and not too many of them.
fn brief(message: &str) -> String {
    let masked = mask_urls(message);
    match masked.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{} […]", &masked[..end]),
        None => masked,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.call.is_empty() {
            write!(f, "{}: ", self.0.call)?;
        }
        match &self.0.what {
            What::Answered(answered) => {
                write!(f, "{}", answered.status)?;
                if let Some(id) = &answered.id {
                    write!(f, " {id}")?;
                }
                if let Some(message) = &answered.message {
                    write!(f, ": {message}")?;
                }
            }
            What::Unreadable { status, .. } => write!(f, "{status} with an answer that cannot be read")?,
            What::Transport(cause) if cause.is_timeout() => f.write_str("no answer in time")?,
            What::Transport(cause) if cause.is_connect() => f.write_str("no connection")?,
            What::Transport(_) => f.write_str("the connection broke")?,
            What::Unsendable(cause) => write!(f, "it cannot be sent: {cause}")?,
            What::Paced(wait) => write!(f, "the rate limit leaves no request for {} s", wait.as_secs_f32().ceil())?,
            What::Setup(cause) => write!(f, "the client cannot be built: {cause}")?,
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
        shown.field("sentence", &self.to_string());
        if let Some(cause) = std::error::Error::source(self) {
            shown.field("cause", &maitre_core::error_chain(cause));
        }
        shown.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.what {
            What::Unreadable { cause, .. } => Some(cause.as_ref()),
            What::Transport(cause) => Some(cause),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_where_and_what_to_do() {
        let body = br#"{"id":"invalid_params","message":"bad url https://u:pw@x","url":"https://devcenter"}"#;
        let error = Error::answered("PATCH /addons/7/config", 422, body, Some("r1".into()), None);
        assert_eq!(error.to_string(), "PATCH /addons/7/config: 422 invalid_params: bad url https://***@x [request r1]",);
        assert_eq!((error.url(), error.is_invalid()), (Some("https://devcenter"), true));

        let error = Error::answered("POST /oauth/token", 302, b"<html>", None, None);
        assert_eq!(error.to_string(), "POST /oauth/token: 302 (redirects are not followed: check the client's URLs)",);
        let error = Error::paced("GET /addons", Duration::from_millis(1_200));
        assert_eq!(error.to_string(), "GET /addons: the rate limit leaves no request for 2 s");
        assert!(error.is_rate_limited() && error.is_transient());
    }

    #[test]
    fn oauth_s_own_names_are_read_too() {
        let body = br#"{"error":"invalid_grant","error_description":"gone"}"#;
        let error = Error::answered("POST /oauth/token", 400, body, None, None);
        assert_eq!((error.id(), error.message()), (Some("invalid_grant"), Some("gone")));
    }

    #[test]
    fn long_words_are_cut_between_characters() {
        let body = serde_json::json!({ "message": "é".repeat(WORDS + 1) }).to_string();
        let error = Error::answered("GET /x", 500, body.as_bytes(), None, None);
        assert!(error.message().is_some_and(|message| message.ends_with("é […]")));
    }

    #[test]
    fn what_may_be_repeated() {
        let answered = |status| Error::answered("GET /x", status, b"", None, None);
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
            assert_eq!(answered(status).may_repeat(idempotent), expected, "{status} {idempotent}");
        }
        assert!(!Error::unreadable("GET /x", 200, None, "no JSON").may_repeat(true));
    }
}
