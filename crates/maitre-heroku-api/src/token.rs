use std::fmt;

use maitre_core::{ClientSecret, OauthGrant, Secret};
use maitre_http::CallError;
use reqwest::{
    Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::{Client, Error, error::TOKEN_CALL, lenient, send::Outgoing};

/// Remaining lifetime below which a token is refreshed (Heroku's sample add-on).
const REFRESH_MARGIN: Duration = Duration::seconds(90);

/// Access token for one add-on, and the refresh token that replaces it.
///
/// Store it encrypted, as Heroku requires. There is one token per install. It is valid until it expires, the add-on is
/// removed, or the client secret is reset. Tokens may become longer in future, so do not limit their length.
///
/// ```
/// use maitre_heroku_api::Token;
/// use time::{Duration, macros::datetime};
///
/// let token = Token::new("HRKU-1").with_refresh_token("HRKU-2").with_expiry(datetime!(2026-03-04 13:06:07 UTC));
/// assert!(!token.needs_refresh(datetime!(2026-03-04 13:04:37 UTC)));
/// assert!(token.needs_refresh(datetime!(2026-03-04 13:04:38 UTC)));
/// assert!(!format!("{token:?}").contains("HRKU"));
///
/// // A token without an expiry is used until Heroku answers 401.
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

    /// Returns the expiry by the clock of the client that obtained the token; `None` if Heroku did not return one.
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

#[derive(Deserialize)]
struct TokenResponse {
    #[serde(deserialize_with = "lenient::secret")]
    access_token: Secret,
    #[serde(default, deserialize_with = "lenient::optional_secret")]
    refresh_token: Option<Secret>,
    #[serde(default, deserialize_with = "lenient::seconds")]
    expires_in: Option<i64>,
}

impl Client {
    /// `POST /oauth/token`: exchanges a grant for a token, which is possible once, within five minutes (Heroku's article on
    /// OAuth).
    ///
    /// Server and network errors are retried until the grant expires. A retry cannot lose the grant; it is lost if the
    /// response to a successful attempt is lost.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use maitre_core::OauthGrant;
    /// # use maitre_heroku_api::Client;
    /// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
    /// # let heroku = platform.serve().await?;
    /// # let install = platform.install("basic");
    /// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
    /// let grant = OauthGrant::new(install.grant().code(), install.grant().expires_at()); // provision.oauth_grant
    /// let token = client.exchange(&grant).await?;
    /// assert!(token.refresh_token().is_some() && token.expires_at().is_some());
    ///
    /// let again = client.exchange(&grant).await.unwrap_err();
    /// assert!(again.is_unauthorized() && !again.is_transient()); // the grant cannot be exchanged again
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the exchange fails. Any 4xx is permanent: the grant expired or was exchanged before, or the
    /// client secret is wrong.
    pub async fn exchange(&self, grant: &OauthGrant) -> Result<Token, Error> {
        let fields = [("grant_type", grant.kind.as_str()), ("code", grant.code.expose())];
        self.request_token(&fields, Some(grant.expires_at)).await
    }

    /// `POST /oauth/token`: obtains a new token with the refresh token of an old one (Heroku's article on OAuth).
    ///
    /// If the response contains no refresh token, the old one is kept; if it contains no expiry, the new token has none.
    /// Store the new token before you use it, and let one task at a time refresh: two concurrent refreshes get two tokens,
    /// and the stored one may be the invalid one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use maitre_core::OauthGrant;
    /// # use maitre_heroku_api::Client;
    /// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
    /// # let heroku = platform.serve().await?;
    /// # let grant = platform.install("basic").grant();
    /// # let client = Client::builder("client secret").base_url(heroku.url()).build()?;
    /// # let token = client.exchange(&OauthGrant::new(grant.code(), grant.expires_at())).await?;
    /// let next = client.refresh(&token).await?;
    /// assert_ne!(next.access_token().expose(), token.access_token().expose());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the refresh fails, or if the token has no refresh token. Any 4xx is permanent: the add-on was
    /// removed, or the client secret is wrong.
    pub async fn refresh(&self, token: &Token) -> Result<Token, Error> {
        let missing = || CallError::unsendable(TOKEN_CALL, "the token has no refresh token");
        let refresh = token.refresh.as_ref().ok_or_else(missing)?;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        let mut renewed = self.request_token(&fields, None).await?;
        renewed.refresh = renewed.refresh.or_else(|| token.refresh.clone());
        Ok(renewed)
    }

    async fn request_token(&self, fields: &[(&str, &str)], deadline: Option<OffsetDateTime>) -> Result<Token, Error> {
        let mut refused = None;
        for secret in self.0.client_secrets.attempts(self.now()) {
            match self.request_token_with(&secret, fields, deadline).await {
                Ok(token) => {
                    if secret.is_old() {
                        crate::metrics::old_client_secret_use();
                    }
                    return Ok(token);
                }
                // the secret, or the grant: another secret shows which
                Err(error) if error.is_unauthorized() => refused = refused.or(Some(error)),
                Err(error) => return Err(refused.unwrap_or(error)),
            }
        }
        Err(refused.unwrap_or_else(|| CallError::unsendable(TOKEN_CALL, "the client has no client secret").into()))
    }

    async fn request_token_with(
        &self,
        secret: &ClientSecret,
        fields: &[(&str, &str)],
        deadline: Option<OffsetDateTime>,
    ) -> Result<Token, Error> {
        let secret = ("client_secret", secret.expose());
        let call = TOKEN_CALL.to_owned();
        let url = self.0.id.join("/oauth/token").map_err(|cause| CallError::unsendable(&call, cause))?;
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        ]);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).extend_pairs([secret]).finish();
        // Retrying is safe: if the first attempt consumed the grant, the grant is lost with or without a retry.
        let idempotent = true;
        let outgoing =
            Outgoing { call, method: Method::POST, url, headers, body: Some(body.into_bytes()), idempotent, deadline };
        let requested_at = self.now();
        let response: TokenResponse = self.send(&outgoing, None).await?.json()?;
        let lifetime = response.expires_in.map(|seconds| Duration::seconds(seconds.max(0)));
        Ok(Token {
            access: response.access_token,
            refresh: response.refresh_token,
            expires_at: lifetime.map(|lifetime| requested_at.saturating_add(lifetime)),
        })
    }
}
