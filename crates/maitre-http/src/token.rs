use std::fmt;

use maitre_core::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// Remaining lifetime below which a token is refreshed (Heroku's sample add-on).
const REFRESH_MARGIN: Duration = Duration::seconds(90);

/// Access token for one resource, and the refresh token that replaces it.
///
/// Store it encrypted. There is one token per resource. It is valid until it expires, the resource is removed, or the client
/// secret is reset. Tokens may become longer in future, so do not limit their length.
///
/// ```
/// use maitre_http::Token;
/// use time::{Duration, macros::datetime};
///
/// let token = Token::new("HRKU-1").with_refresh_token("HRKU-2").with_expiry(datetime!(2026-03-04 13:06:07 UTC));
/// assert!(!token.needs_refresh(datetime!(2026-03-04 13:04:37 UTC)));
/// assert!(token.needs_refresh(datetime!(2026-03-04 13:04:38 UTC)));
/// assert!(!format!("{token:?}").contains("HRKU"));
///
/// // A token without an expiry is used until the marketplace answers 401.
/// assert!(!Token::new("HRKU-1").needs_refresh(datetime!(2099-01-01 0:00 UTC)));
/// ```
#[derive(Clone)]
pub struct Token {
    access: Secret,
    refresh: Option<Secret>,
    expires_at: Option<OffsetDateTime>,
}

impl Token {
    /// Creates a token from a stored access token.
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self { access: access_token.into(), refresh: None, expires_at: None }
    }

    /// Sets the refresh token.
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: impl Into<Secret>) -> Self {
        self.refresh = Some(refresh_token.into());
        self
    }

    /// Sets the expiry.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Returns it with the refresh token of an older one, if it has none itself.
    #[must_use]
    pub fn or_refresh_token_of(mut self, older: &Self) -> Self {
        self.refresh = self.refresh.or_else(|| older.refresh.clone());
        self
    }

    /// Returns the access token.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        &self.access
    }

    /// Returns the refresh token.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.refresh.as_ref()
    }

    /// Returns the expiry by the clock of the client that obtained the token; `None` if the marketplace did not return one.
    #[must_use]
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.expires_at
    }

    /// Whether the token should be refreshed before the next call, because it expires in less than 90 s.
    #[must_use]
    pub fn needs_refresh(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at < now.saturating_add(REFRESH_MARGIN))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Response of a token endpoint (RFC 6749, section 5.1).
#[derive(Deserialize)]
pub struct TokenResponse {
    access_token: String,
    refresh_token: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<i64>,
}

impl TokenResponse {
    /// Returns the token that was requested at this time.
    ///
    /// ```
    /// use maitre_http::TokenResponse;
    /// use time::macros::datetime;
    ///
    /// let response: TokenResponse = serde_json::from_str(r#"{"access_token":"t-1","refresh_token":"r-1","expires_in":"28800"}"#)?;
    /// let token = response.into_token(datetime!(2026-03-04 5:06:07 UTC));
    /// assert_eq!(token.expires_at(), Some(datetime!(2026-03-04 13:06:07 UTC)));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn into_token(self, requested_at: OffsetDateTime) -> Token {
        let lifetime = self.expires_in.map(|seconds| Duration::seconds(seconds.max(0)));
        Token {
            access: self.access_token.into(),
            refresh: self.refresh_token.map(Secret::from),
            expires_at: lifetime.map(|lifetime| requested_at.saturating_add(lifetime)),
        }
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Deserializes an integer, also from a string.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    })
}
