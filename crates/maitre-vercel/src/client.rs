use std::{fmt, sync::Arc, time::Duration};

use maitre_core::{ClientSecret, ClientSecrets, Clock, CredentialsError, Reload, ReloadError, Secret};
use maitre_http::{BaseUrl, CallError, Retry, Settings};
use time::OffsetDateTime;

use crate::error::Error;

/// Vercel client for one integration: creates an [`Api`](crate::Api) from the access token of an installation.
///
/// Clones share the connection pool, so build one client and reuse it. `Debug` prints the URL and no secret.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_vercel::Client;
///
/// # let vercel = maitre_testkit::vercel::Platform::new("oac_lantern", "client secret");
/// # let server = vercel.serve().await?;
/// # let installation = vercel.new_installation();
/// # let token = installation.access_token();
/// let client = Client::builder("oac_lantern", "client secret").api_url(server.url()).build()?;
/// let account = client.installation(installation.id(), token.into()).account().await?;
/// assert_eq!(account.contact.unwrap().email, "ada@customer.example");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) api: BaseUrl,
    pub(crate) client_id: String,
    pub(crate) client_secrets: ClientSecrets,
    pub(crate) retry: Retry,
    pub(crate) clock: Clock,
}

impl Client {
    /// Starts a client with the integration's client id (`oac_…`) and client secret from Vercel's console.
    pub fn builder(client_id: &str, client_secret: impl Into<Secret>) -> ClientBuilder {
        ClientBuilder {
            client_id: client_id.to_owned(),
            client_secret: client_secret.into(),
            old_client_secrets: Vec::new(),
            api: "https://api.vercel.com".to_owned(),
            plain_http: false,
            settings: Settings::new(concat!("maitre-vercel/", env!("CARGO_PKG_VERSION"))),
            retry: Retry::default(),
            clock: Arc::new(OffsetDateTime::now_utc),
        }
    }

    /// Returns the current time of the client's clock.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        (self.0.clock)()
    }
}

/// The text has one client secret per line, the current one first. An old one is sent if Vercel does not accept the current
/// one.
impl Reload for Client {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.0.client_secrets.reload(text, now, overlap)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.0.api).field("client_id", &self.0.client_id).finish_non_exhaustive()
    }
}

/// Builder of a [`Client`].
///
/// ```
/// use std::time::Duration;
///
/// use maitre_vercel::Client;
///
/// let client = Client::builder("oac_lantern", "client secret")
///     .api_url("http://localhost:8400") // a sandbox
///     .user_agent("lantern/2.1")
///     .timeout(Duration::from_secs(5))
///     .attempts(3)
///     .build()?;
/// assert!(format!("{client:?}").contains("http://localhost:8400"));
///
/// assert!(Client::builder("oac_lantern", "").build().unwrap_err().is_builder());
/// # Ok::<(), maitre_vercel::Error>(())
/// ```
#[must_use = "call build() to get the client"]
pub struct ClientBuilder {
    client_id: String,
    client_secret: Secret,
    old_client_secrets: Vec<(Secret, OffsetDateTime)>,
    api: String,
    plain_http: bool,
    settings: Settings,
    retry: Retry,
    clock: Clock,
}

impl ClientBuilder {
    /// Adds an old client secret, which is sent until its end if Vercel does not accept the current one.
    pub fn old_client_secret(mut self, secret: impl Into<Secret>, expires_at: OffsetDateTime) -> Self {
        self.old_client_secrets.push((secret.into(), expires_at));
        self
    }

    /// Sets the URL of Vercel's API. Defaults to `https://api.vercel.com`.
    pub fn api_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.api);
        self
    }

    /// Allows `http` URLs of hosts other than loopback. Tokens are then sent unencrypted: use it in your own network only.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Sets the user agent. Defaults to the name and version of this crate.
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

    /// Sets the clock that determines when usage and invoices are due.
    pub fn clock(mut self, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// Returns an error with [`Error::is_builder`] if the client secret is empty, the URL is invalid or would send tokens
    /// unencrypted, a proxy or certificate is invalid, or the operating system has no trusted certificates.
    pub fn build(self) -> Result<Client, Error> {
        let empty = |_: CredentialsError| {
            CallError::setup("the client secret is empty: copy it from Vercel's integration console")
        };
        let mut client_secrets = ClientSecrets::new(ClientSecret::new(self.client_secret).map_err(empty)?);
        for (old, end) in self.old_client_secrets {
            client_secrets = client_secrets.with_secret(ClientSecret::new(old).map_err(empty)?.with_expiry(end));
        }
        Ok(Client(Arc::new(Inner {
            http: self.settings.build().map_err(CallError::setup)?,
            api: BaseUrl::new(&self.api, self.plain_http).map_err(CallError::setup)?,
            client_id: self.client_id,
            client_secrets,
            retry: self.retry,
            clock: self.clock,
        })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("api", &self.api).finish_non_exhaustive()
    }
}
