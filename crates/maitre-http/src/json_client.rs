//! Client of an API that reads and writes JSON, and its builder.

use std::{fmt, sync::Arc, time::Duration};

use maitre_core::{Clock, Secret};
use time::OffsetDateTime;

use crate::{base_url::BaseUrl, call_error::CallError, retry::Retry, settings::Settings};

/// Client of a marketplace's API that reads and writes JSON. Calls are retried where that is safe and may help.
///
/// Clones share the connection pool. `Debug` prints the URL only.
#[derive(Clone)]
pub struct JsonClient(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) marketplace: &'static str,
    pub(crate) http: reqwest::Client,
    pub(crate) base: BaseUrl,
    pub(crate) retry: Retry,
    pub(crate) clock: Clock,
}

impl JsonClient {
    /// Starts a client of a marketplace's API at this URL. The name of the marketplace is for metrics and the log.
    pub fn builder(marketplace: &'static str, url: &str) -> JsonClientBuilder {
        JsonClientBuilder {
            marketplace,
            url: url.to_owned(),
            plain_http: false,
            settings: Settings::new(concat!("maitre/", env!("CARGO_PKG_VERSION"))),
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

impl fmt::Debug for JsonClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonClient").field("base", &self.0.base).finish_non_exhaustive()
    }
}

/// Builder of a [`JsonClient`].
///
/// ```
/// use std::time::Duration;
///
/// use maitre_http::JsonClient;
///
/// let client = JsonClient::builder("lantern", "http://localhost:8400/v1") // a sandbox
///     .user_agent("lantern/2.1")
///     .timeout(Duration::from_secs(5))
///     .attempts(3)
///     .build()?;
/// assert!(format!("{client:?}").contains("http://localhost:8400/v1"));
///
/// assert!(JsonClient::builder("lantern", "http://api.example.org").build().unwrap_err().is_builder(), "https is required");
/// # Ok::<(), maitre_http::CallError>(())
/// ```
#[must_use = "call build() to get the client"]
pub struct JsonClientBuilder {
    marketplace: &'static str,
    url: String,
    plain_http: bool,
    settings: Settings,
    retry: Retry,
    clock: Clock,
}

impl JsonClientBuilder {
    /// Sets the URL of the API, in place of the marketplace's.
    pub fn url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    /// Allows `http` URLs of hosts other than loopback. Credentials are then sent unencrypted: use it in your own network
    /// only.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Sets the user agent. Defaults to `maitre` and its version.
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
    /// longer fails. Defaults to 30 s.
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

    /// Sets the clock.
    pub fn clock(mut self, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    /// Returns an error with [`CallError::is_builder`] if the URL is invalid or would send credentials unencrypted, a proxy
    /// or certificate is invalid, or the operating system has no trusted certificates.
    pub fn build(self) -> Result<JsonClient, CallError> {
        Ok(JsonClient(Arc::new(Inner {
            marketplace: self.marketplace,
            http: self.settings.build().map_err(CallError::setup)?,
            base: BaseUrl::new(&self.url, self.plain_http).map_err(CallError::setup)?,
            retry: self.retry,
            clock: self.clock,
        })))
    }
}

impl fmt::Debug for JsonClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonClientBuilder").field("url", &self.url).finish_non_exhaustive()
    }
}
