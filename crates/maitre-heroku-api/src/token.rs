use maitre_core::{ClientSecret, OauthGrant};
use maitre_http::{CallError, Token, TokenResponse};
use reqwest::{
    Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use time::OffsetDateTime;

use crate::{Client, Error, error::TOKEN_CALL, send::Outgoing};

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
        let refresh = token.refresh_token().ok_or_else(missing)?;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        Ok(self.request_token(&fields, None).await?.or_refresh_token_of(token))
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
        Ok(response.into_token(requested_at))
    }
}
