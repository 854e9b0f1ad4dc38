use std::fmt;

use maitre_core::{OauthGrant, Secret};
use reqwest::{
    Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::{Client, Error, error::TOKEN_CALL, lenient, send::Outgoing};

/// So long before its end a token is due for a refresh (Heroku's sample add-on).
const LEEWAY: Duration = Duration::seconds(90);

/// An access token for one add-on, with what it takes to get the next one.
///
/// Keep it sealed: Heroku asks for encryption at rest. There is one token per install, and it lives until it expires, the
/// add-on is removed, or the client secret is reset. Heroku's texts grow; give them room.
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
/// // When nobody said when it ends, the first 401 says so.
/// assert!(!Token::new("HRKU-1").needs_refresh(datetime!(2099-01-01 0:00 UTC)));
/// ```
#[derive(Clone)]
pub struct Token {
    access: Secret,
    refresh: Option<Secret>,
    expires_at: Option<OffsetDateTime>,
}

impl Token {
    /// A token that is known from before, without more.
    pub fn new(access_token: impl Into<Secret>) -> Self {
        Self { access: access_token.into(), refresh: None, expires_at: None }
    }

    /// The same with what it is refreshed by.
    #[must_use]
    pub fn with_refresh_token(mut self, refresh_token: impl Into<Secret>) -> Self {
        self.refresh = Some(refresh_token.into());
        self
    }

    /// The same with its end.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: OffsetDateTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// What opens the API.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        &self.access
    }

    /// What the next token is made from.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.refresh.as_ref()
    }

    /// When it ends, by the clock of the client that got it; `None` where Heroku did not say.
    #[must_use]
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.expires_at
    }

    /// Whether to refresh it before the next call: it ends in less than 90 s.
    #[must_use]
    pub fn needs_refresh(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|end| end < now.saturating_add(LEEWAY))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Minted {
    #[serde(deserialize_with = "lenient::secret")]
    access_token: Secret,
    #[serde(default, deserialize_with = "lenient::optional_secret")]
    refresh_token: Option<Secret>,
    #[serde(default, deserialize_with = "lenient::seconds")]
    expires_in: Option<i64>,
}

impl Client {
    /// `POST /oauth/token`: makes a token of a grant, which is good for one exchange within five minutes (Heroku's article
    /// on OAuth).
    ///
    /// Faults of Heroku and of the network are tried again until the grant's end. A grant cannot be lost by trying twice,
    /// only by not trying: if the answer to a successful try is lost, so is the grant.
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
    /// assert!(again.is_unauthorized() && !again.is_transient()); // the grant is gone for good
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Any 4xx is final: the grant expired or was exchanged, or the client secret is wrong.
    pub async fn exchange(&self, grant: &OauthGrant) -> Result<Token, Error> {
        let fields = [("grant_type", grant.kind.as_str()), ("code", grant.code.expose())];
        self.mint(&fields, Some(grant.expires_at)).await
    }

    /// `POST /oauth/token`: makes a new token of an old one's refresh token (Heroku's article on OAuth).
    ///
    /// Where the answer holds no refresh token, the old one stays; where it tells no end, there is none in the new token.
    /// Keep the new token before you use it, and let one task at a time refresh: two that do get two tokens, and the one
    /// that is kept may be the one that is dead.
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
    /// Any 4xx is final: the add-on was removed, or the client secret is wrong. So is a token without a refresh token.
    pub async fn refresh(&self, token: &Token) -> Result<Token, Error> {
        let missing = || Error::unsendable(TOKEN_CALL, "the token came without a refresh token");
        let refresh = token.refresh.as_ref().ok_or_else(missing)?;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        let mut minted = self.mint(&fields, None).await?;
        minted.refresh = minted.refresh.or_else(|| token.refresh.clone());
        Ok(minted)
    }

    async fn mint(&self, fields: &[(&str, &str)], until: Option<OffsetDateTime>) -> Result<Token, Error> {
        let secret = ("client_secret", self.0.client_secret.expose());
        let call = TOKEN_CALL.to_owned();
        let url = self.0.id.join("/oauth/token").map_err(|cause| Error::unsendable(&call, cause))?;
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
        ]);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).extend_pairs([secret]).finish();
        // twice is as good as once: what a first try may have spoiled, not trying spoils for sure
        let idempotent = true;
        let outgoing =
            Outgoing { call, method: Method::POST, url, headers, body: Some(body.into_bytes()), idempotent, until };
        let asked_at = self.now();
        let minted: Minted = self.send(&outgoing, None).await?.json()?;
        let life = minted.expires_in.map(|seconds| Duration::seconds(seconds.max(0)));
        Ok(Token {
            access: minted.access_token,
            refresh: minted.refresh_token,
            expires_at: life.map(|life| asked_at.saturating_add(life)),
        })
    }
}
