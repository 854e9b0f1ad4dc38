use std::{fmt, sync::Arc, time::Duration};

use maitre_core::{Clock, Secret};
use reqwest::redirect::Policy;
use time::OffsetDateTime;

use crate::{Api, Error, Token, base_url::BaseUrl, rate_limit::RateLimiter, retry::Retry};

/// A client of Heroku for the vendor of one add-on: it exchanges grants and refreshes tokens, and opens the
/// [`Api`] with a token.
///
/// A clone shares the connections, so make one and keep it. `Debug` shows its URLs, no secret.
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
/// let mine = client.api(&token).add_ons().all().await?;
/// assert_eq!(mine[0].plan.bare_name(), "basic");
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
    pub(crate) client_secret: Secret,
    pub(crate) retry: Retry,
    pub(crate) page: Option<u16>,
    pub(crate) clock: Clock,
}

impl Client {
    /// A client with the client secret of the partner portal, and everything else to be set.
    pub fn builder(client_secret: impl Into<Secret>) -> ClientBuilder {
        ClientBuilder::new(client_secret.into())
    }

    /// The Platform API with this token, which reaches one add-on and its apps.
    ///
    /// Keep it while you use the token: it and its clones know together how much of the rate limit is left.
    #[must_use]
    pub fn api(&self, token: &Token) -> Api {
        Api::new(self.clone(), token.access_token().clone(), Arc::new(RateLimiter::default()))
    }

    /// The time by which it reckons the lives of grants and tokens.
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

/// The settings of a [`Client`] to be.
///
/// ```
/// use maitre_heroku_api::Client;
/// use std::time::Duration;
///
/// let client = Client::builder("client secret")
///     .base_url("http://localhost:7000") // a sandbox
///     .user_agent("lantern/2.1")
///     .timeout(Duration::from_secs(5))
///     .attempts(3)
///     .build()?;
/// assert!(format!("{client:?}").contains("http://localhost:7000"));
///
/// assert!(Client::builder("").build().unwrap_err().is_builder());
/// # Ok::<(), maitre_heroku_api::Error>(())
/// ```
#[must_use = "a client is made with build()"]
pub struct ClientBuilder {
    client_secret: Secret,
    api: String,
    id: String,
    addons: String,
    plain_http: bool,
    user_agent: String,
    connect_timeout: Duration,
    timeout: Duration,
    retry: Retry,
    page: Option<u16>,
    proxy: Option<Secret>,
    no_proxy: bool,
    #[cfg(feature = "tls")]
    roots: Vec<Vec<u8>>,
    clock: Clock,
}

impl ClientBuilder {
    fn new(client_secret: Secret) -> Self {
        Self {
            client_secret,
            api: "https://api.heroku.com".to_owned(),
            id: "https://id.heroku.com".to_owned(),
            addons: "https://addons.heroku.com".to_owned(),
            plain_http: false,
            user_agent: concat!("maitre-heroku-api/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            retry: Retry::default(),
            page: None,
            proxy: None,
            no_proxy: false,
            #[cfg(feature = "tls")]
            roots: Vec::new(),
            clock: Arc::new(OffsetDateTime::now_utc),
        }
    }

    /// Where the Platform API is: `https://api.heroku.com` unless said.
    pub fn api_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.api);
        self
    }

    /// Where tokens are made: `https://id.heroku.com` unless said.
    pub fn id_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.id);
        self
    }

    /// Where the list of installs is: `https://addons.heroku.com` unless said.
    pub fn addons_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.addons);
        self
    }

    /// All three at one place, as in a sandbox or a test.
    pub fn base_url(self, url: &str) -> Self {
        self.api_url(url).id_url(url).addons_url(url)
    }

    /// Admits `http` URLs of other machines, too. Tokens then travel in the clear: for a network of your own alone.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// What it calls itself; Heroku asks for a name. Its own and its version unless said.
    pub fn user_agent(mut self, name: &str) -> Self {
        name.clone_into(&mut self.user_agent);
        self
    }

    /// How long a connection may take to come about: 5 s unless said.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one try may take from its beginning to the answer's last byte: 10 s unless said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a call that may be repeated is tried in all: 4 times unless said, and at least once.
    pub fn attempts(mut self, attempts: usize) -> Self {
        self.retry.attempts = attempts;
        self
    }

    /// The pauses between tries: `first` after the first one, then doubling up to `longest`, each up to twice as long by
    /// chance. 200 ms and 5 s unless said.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        (self.retry.first, self.retry.longest) = (first, longest);
        self
    }

    /// The longest that a call waits because Heroku says so, by `Retry-After` or the rate limit; beyond it, it fails as
    /// [rate limited](Error::is_rate_limited) and [says how long](Error::retry_after). 30 s unless said.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.retry.max_wait = max_wait;
        self
    }

    /// How many objects to ask for at once in lists, up to 1000. Heroku sends 200 unless it is asked.
    pub fn page_size(mut self, size: u16) -> Self {
        self.page = Some(size);
        self
    }

    /// Goes through this proxy, in place of the environment's; user and password may stand in the URL.
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Goes through no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.no_proxy = true;
        self
    }

    /// Trusts these certificates, too, in PEM, besides the operating system's.
    #[cfg(feature = "tls")]
    pub fn root_certificates(mut self, pem: &[u8]) -> Self {
        self.roots.push(pem.to_owned());
        self
    }

    /// Takes the time from here, for the lives of grants and tokens.
    pub fn clock(mut self, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`Error::is_builder`]: the client secret is empty, a URL is none or would send tokens in the clear, a proxy or a
    /// certificate cannot be read, or the operating system has no trusted certificates.
    pub fn build(self) -> Result<Client, Error> {
        if self.client_secret.expose().is_empty() {
            return Err(Error::setup("the client secret is empty: take the one of Heroku's partner portal"));
        }
        let base = |url: &str| BaseUrl::new(url, self.plain_http);
        Ok(Client(Arc::new(Inner {
            http: self.http()?,
            api: base(&self.api)?,
            id: base(&self.id)?,
            addons: base(&self.addons)?,
            client_secret: self.client_secret,
            retry: self.retry,
            page: self.page.map(|size| size.clamp(1, 1_000)),
            clock: self.clock,
        })))
    }

    fn http(&self) -> Result<reqwest::Client, Error> {
        let unusable = |what: &str, cause: reqwest::Error| Error::setup(format!("{what}: {}", cause.without_url()));
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .user_agent(&self.user_agent);
        if self.no_proxy {
            builder = builder.no_proxy();
        }
        if let Some(proxy) = &self.proxy {
            let proxy = reqwest::Proxy::all(proxy.expose()).map_err(|cause| unusable("the proxy's URL", cause))?;
            builder = builder.proxy(proxy);
        }
        #[cfg(feature = "tls")]
        for pem in &self.roots {
            let roots = reqwest::Certificate::from_pem_bundle(pem);
            builder = builder.tls_certs_merge(roots.map_err(|cause| unusable("a root certificate", cause))?);
        }
        builder.build().map_err(|cause| unusable("the settings", cause))
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
