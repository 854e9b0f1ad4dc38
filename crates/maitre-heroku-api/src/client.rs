use std::{fmt, sync::Arc, time::Duration};

use maitre_core::{ClientSecret, ClientSecrets, Clock, CredentialsError, Secret};
use maitre_http::{BaseUrl, CallError, Retry, Settings};
use time::OffsetDateTime;

use crate::Error;

/// Heroku client for the vendor of one add-on: exchanges grants, refreshes tokens, and creates an [`Api`](crate::Api) from a token.
///
/// Clones share the connection pool, so build one client and reuse it. `Debug` prints the URLs and no secret.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_core::OauthGrant;
/// use maitre_heroku_api::Client;
///
/// # let platform = maitre_testkit::platform::Platform::new("lantern", "password", "client secret");
/// # let heroku = platform.serve().await?;
/// # let grant = platform.install("basic").grant();
/// let client = Client::builder("client secret").base_url(heroku.url()).build()?;
/// let token = client.exchange(&OauthGrant::new(grant.code(), grant.expires_at())).await?;
/// let add_ons = client.api(&token).add_ons().all().await?;
/// assert_eq!(add_ons[0].plan.bare_name(), "basic");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) api: BaseUrl,
    pub(crate) id: BaseUrl,
    pub(crate) addons: BaseUrl,
    pub(crate) client_secrets: ClientSecrets,
    pub(crate) retry: Retry,
    pub(crate) page: Option<u16>,
    pub(crate) clock: Clock,
}

impl Client {
    /// Starts a client with the client secret from Heroku's partner portal.
    pub fn builder(client_secret: impl Into<Secret>) -> ClientBuilder {
        ClientBuilder::new(client_secret.into())
    }

    /// Returns the current time of the clock that determines the lifetimes of grants and tokens.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        (self.0.clock)()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("api", &self.0.api)
            .field("id", &self.0.id)
            .field("addons", &self.0.addons)
            .finish_non_exhaustive()
    }
}

/// Builder of a [`Client`].
///
/// ```
/// use maitre_heroku_api::Client;
/// use std::time::Duration;
///
/// let client = Client::builder("client secret")
///     .base_url("http://localhost:8400") // a sandbox
///     .user_agent("lantern/2.1")
///     .timeout(Duration::from_secs(5))
///     .attempts(3)
///     .build()?;
/// assert!(format!("{client:?}").contains("http://localhost:8400"));
///
/// assert!(Client::builder("").build().unwrap_err().is_builder());
/// # Ok::<(), maitre_heroku_api::Error>(())
/// ```
#[must_use = "call build() to get the client"]
pub struct ClientBuilder {
    client_secret: Secret,
    old_client_secrets: Vec<(Secret, OffsetDateTime)>,
    api: String,
    id: String,
    addons: String,
    plain_http: bool,
    settings: Settings,
    retry: Retry,
    page: Option<u16>,
    clock: Clock,
}

impl ClientBuilder {
    fn new(client_secret: Secret) -> Self {
        Self {
            client_secret,
            old_client_secrets: Vec::new(),
            api: "https://api.heroku.com".to_owned(),
            id: "https://id.heroku.com".to_owned(),
            addons: "https://addons.heroku.com".to_owned(),
            plain_http: false,
            settings: Settings::new(concat!("maitre-heroku-api/", env!("CARGO_PKG_VERSION"))),
            retry: Retry::default(),
            page: None,
            clock: Arc::new(OffsetDateTime::now_utc),
        }
    }

    /// Sets the URL of the Platform API. Defaults to `https://api.heroku.com`.
    pub fn api_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.api);
        self
    }

    /// Sets the URL of the token endpoint. Defaults to `https://id.heroku.com`.
    pub fn id_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.id);
        self
    }

    /// Sets the URL of the list of installs. Defaults to `https://addons.heroku.com`.
    pub fn addons_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.addons);
        self
    }

    /// Sets all three URLs, as for a sandbox or a test.
    pub fn base_url(self, url: &str) -> Self {
        self.api_url(url).id_url(url).addons_url(url)
    }

    /// Allows `http` URLs of hosts other than loopback. Tokens are then sent unencrypted: use it in your own network only.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Sets the user agent, which Heroku requires. Defaults to the name and version of this crate.
    pub fn user_agent(mut self, name: &str) -> Self {
        name.clone_into(&mut self.settings.user_agent);
        self
    }

    /// Sets the timeout for establishing a connection. Defaults to 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// Sets the timeout of one attempt, from its start to the last byte of the response. Defaults to 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// Sets the maximum number of attempts of a call that may be repeated, at least 1. Defaults to 4.
    pub fn attempts(mut self, attempts: usize) -> Self {
        self.retry.attempts = attempts;
        self
    }

    /// Sets the pauses between attempts: `first` after the first attempt, then doubling up to `longest`, each plus a random
    /// jitter of up to 100 %. Defaults to 200 ms and 5 s.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.retry.first, self.retry.longest) = (first, longest);
        self
    }

    /// Sets the longest time that a call waits because of `Retry-After` or the rate limit. A call that would have to wait
    /// longer fails as [rate limited](Error::is_rate_limited), with the [waiting time](Error::retry_after). Defaults to
    /// 30 s.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.retry.max_wait = max_wait;
        self
    }

    /// Sets the page size of lists, up to 1000. Defaults to Heroku's 200.
    pub fn page_size(mut self, size: u16) -> Self {
        self.page = Some(size);
        self
    }

    /// Sets the proxy, in place of the one from the environment. The URL may contain user name and password.
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.settings.proxy = Some(url.into());
        self
    }

    /// Disables proxies, including one from the environment.
    pub fn no_proxy(mut self) -> Self {
        self.settings.no_proxy = true;
        self
    }

    /// Adds trusted root certificates in PEM format to those of the operating system.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, pem: &[u8]) -> Self {
        self.settings.roots.push(pem.to_owned());
        self
    }

    /// Sets the clock that determines the lifetimes of grants and tokens.
    pub fn clock(mut self, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Adds an old client secret, which is used until its end if Heroku does not accept the current one: roll it out before
    /// the secret is changed in the partner portal.
    ///
    /// ```
    /// use maitre_heroku_api::Client;
    /// use time::macros::datetime;
    ///
    /// let client = Client::builder("new secret").old_client_secret("old secret", datetime!(2026-03-01 0:00 UTC)).build()?;
    /// # drop(client);
    /// # Ok::<(), maitre_heroku_api::Error>(())
    /// ```
    pub fn old_client_secret(mut self, secret: impl Into<Secret>, expires_at: OffsetDateTime) -> Self {
        self.old_client_secrets.push((secret.into(), expires_at));
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// Returns an error with [`Error::is_builder`] if the client secret is empty, a URL is invalid or would send tokens
    /// unencrypted, a proxy or certificate is invalid, or the operating system has no trusted certificates.
    pub fn build(self) -> Result<Client, Error> {
        let base = |url: &str| BaseUrl::new(url, self.plain_http).map_err(CallError::setup);
        let empty =
            |_: CredentialsError| CallError::setup("the client secret is empty: copy it from Heroku's partner portal");
        let mut client_secrets = ClientSecrets::new(ClientSecret::new(self.client_secret).map_err(empty)?);
        for (old, end) in self.old_client_secrets {
            client_secrets = client_secrets.with_secret(ClientSecret::new(old).map_err(empty)?.with_expiry(end));
        }
        Ok(Client(Arc::new(Inner {
            http: self.settings.build().map_err(CallError::setup)?,
            api: base(&self.api)?,
            id: base(&self.id)?,
            addons: base(&self.addons)?,
            client_secrets,
            retry: self.retry,
            page: self.page.map(|size| size.clamp(1, 1_000)),
            clock: self.clock,
        })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("api", &self.api)
            .field("id", &self.id)
            .field("addons", &self.addons)
            .finish_non_exhaustive()
    }
}
