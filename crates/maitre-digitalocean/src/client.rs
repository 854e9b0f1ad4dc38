//! Calls of the API.

use std::{fmt, time::Duration};

use maitre_core::{ClientSecret, ClientSecrets, ConfigVars, CredentialsError, OauthGrant, Reload, ReloadError, Secret};
use maitre_http::{CallError, JsonClient, JsonClientBuilder, Token, TokenResponse};
use maitre_platform::config_json;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// Starts the connection to `https://api.digitalocean.com/v2`.
///
/// ```
/// let http = maitre_digitalocean::connect().user_agent("tamarind/2.1").build()?;
/// assert!(format!("{http:?}").contains("https://api.digitalocean.com/v2"));
/// # Ok::<(), maitre_digitalocean::CallError>(())
/// ```
pub fn connect() -> JsonClientBuilder {
    JsonClient::builder("digitalocean", "https://api.digitalocean.com/v2")
}

/// Call that issues tokens.
const TOKEN_CALL: &str = "POST /add-ons/oauth/token";
const TOKEN_PATH: [&str; 3] = ["add-ons", "oauth", "token"];

/// Client of the API for the vendor of one app. Clones share the connection pool and the client secrets.
///
/// `Debug` prints the URL only.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let digitalocean = maitre_testkit::apis::DigitalOceanApi::new("client secret");
/// # digitalocean.add_grant("c0de-1", "0f6a2c3e");
/// # let server = digitalocean.serve().await?;
/// # let grant = maitre_core::OauthGrant::new("c0de-1", digitalocean.now() + std::time::Duration::from_mins(5));
/// use maitre_core::ConfigVars;
/// use maitre_digitalocean::{Client, connect};
///
/// let http = connect();
/// # let http = http.url(server.url());
/// let client = Client::new("client secret", http.build()?)?;
/// let token = client.exchange(&grant).await?; // provision.oauth_grant
/// let token = client.refresh(&token).await?;
/// let config: ConfigVars = [("API_KEY", "t-1")].into_iter().collect();
/// client.set_config(&token, "0f6a2c3e", &config).await?;
/// assert_eq!(digitalocean.config("0f6a2c3e")["API_KEY"], "t-1");
///
/// assert!(client.exchange(&grant).await.unwrap_err().is_unauthorized(), "a grant can be exchanged once");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    http: JsonClient,
    secrets: ClientSecrets,
}

impl Client {
    /// Creates a client with the app's client secret.
    ///
    /// # Errors
    /// Returns an error if the secret is empty.
    pub fn new(client_secret: impl Into<Secret>, http: JsonClient) -> Result<Self, CredentialsError> {
        Ok(Self { http, secrets: ClientSecrets::new(ClientSecret::new(client_secret)?) })
    }

    /// `POST /add-ons/oauth/token`: exchanges the grant of a provision for a token, which is possible once.
    ///
    /// Server and network errors are retried. A retry cannot lose the grant; it is lost if the response to a successful
    /// attempt is lost.
    ///
    /// # Errors
    /// Returns an error if the exchange fails.
    pub async fn exchange(&self, grant: &OauthGrant) -> Result<Token, CallError> {
        self.request_token(json!({ "grant_type": grant.kind, "code": grant.code.expose() })).await
    }

    /// `POST /add-ons/oauth/token`: obtains a new token with the refresh token of an old one. Store the new token before you
    /// use it, and let one task at a time refresh.
    ///
    /// # Errors
    /// Returns an error if the refresh fails, or if the token has no refresh token.
    pub async fn refresh(&self, token: &Token) -> Result<Token, CallError> {
        let missing = || CallError::unsendable(TOKEN_CALL, "the token has no refresh token");
        let refresh = token.refresh_token().ok_or_else(missing)?.expose();
        let next = self.request_token(json!({ "grant_type": "refresh_token", "refresh_token": refresh })).await?;
        Ok(next.or_refresh_token_of(token))
    }

    /// `PATCH /add-ons/resources/{uuid}/config`: changes these config vars of a resource, by names without the app's prefix.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn set_config(&self, token: &Token, uuid: &str, config: &ConfigVars) -> Result<(), CallError> {
        let call = self.http.call(Method::PATCH, &["add-ons", "resources", uuid, "config"]);
        let call = call.authorization("Bearer", token.access_token().clone());
        call.body(json!({ "config": config_json(config) })).send().await
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.http.now()
    }

    async fn request_token(&self, mut body: Value) -> Result<Token, CallError> {
        let requested_at = self.now();
        let mut refused = None;
        for secret in self.secrets.active(requested_at) {
            body["client_secret"] = secret.expose().into();
            // Retrying is safe: if the first attempt consumed the grant, the grant is lost with or without a retry.
            let call = self.http.call(Method::POST, &TOKEN_PATH).body(body.clone()).repeatable();
            match call.read::<TokenResponse>().await {
                Ok(response) => return Ok(response.into_token(requested_at)),
                // the secret, or the grant: another secret shows which
                Err(error) if error.is_unauthorized() => refused = refused.or(Some(error)),
                Err(error) => return Err(refused.unwrap_or(error)),
            }
        }
        Err(refused.unwrap_or_else(|| CallError::unsendable(TOKEN_CALL, "no client secret is active")))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("http", &self.http).finish_non_exhaustive()
    }
}

/// The text is the JSON of the app's settings, with the `client_secret`. An old one is used if DigitalOcean does not accept the
/// current one.
impl Reload for Client {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        #[derive(Deserialize)]
        struct Settings {
            client_secret: Secret,
        }
        let settings: Settings = serde_json::from_str(text).map_err(|error| ReloadError::json(&error))?;
        self.secrets.reload(settings.client_secret.expose(), now, overlap)
    }
}
