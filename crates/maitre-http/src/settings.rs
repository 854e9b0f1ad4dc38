use std::{fmt, time::Duration};

use maitre_core::Secret;
use reqwest::redirect::Policy;

/// Settings of the connection to a marketplace's API.
///
/// `Debug` prints neither the proxy nor certificates.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// User agent.
    pub user_agent: String,
    /// Timeout for establishing a connection. Defaults to 5 s.
    pub connect_timeout: Duration,
    /// Timeout of one attempt, from its start to the last byte of the response. Defaults to 10 s.
    pub timeout: Duration,
    /// Proxy, in place of the one from the environment.
    pub proxy: Option<Secret>,
    /// Whether proxies are disabled, including one from the environment.
    pub no_proxy: bool,
    /// Trusted root certificates in PEM format, in addition to those of the operating system.
    #[cfg(feature = "tls")]
    pub roots: Vec<Vec<u8>>,
}

impl Settings {
    /// Creates settings with this user agent.
    ///
    /// ```
    /// let mut settings = maitre_http::Settings::new("lantern/2.1");
    /// settings.proxy = Some("http://user:password@proxy.example".into());
    /// assert!(settings.build().is_ok());
    /// assert!(!format!("{settings:?}").contains("password"));
    /// ```
    #[must_use]
    pub fn new(user_agent: &str) -> Self {
        Self {
            user_agent: user_agent.to_owned(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            proxy: None,
            no_proxy: false,
            #[cfg(feature = "tls")]
            roots: Vec::new(),
        }
    }

    /// Builds the HTTP client, which does not follow redirects: they could send a token to another host.
    ///
    /// # Errors
    /// Returns a sentence if the proxy or a certificate is invalid, or if the operating system has no trusted
    /// certificates.
    pub fn build(&self) -> Result<reqwest::Client, String> {
        let invalid = |subject: &str, cause: reqwest::Error| format!("{subject}: {}", cause.without_url());
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(self.connect_timeout)
            .timeout(self.timeout)
            .user_agent(&self.user_agent);
        if self.no_proxy {
            builder = builder.no_proxy();
        }
        if let Some(proxy) = &self.proxy {
            let proxy = reqwest::Proxy::all(proxy.expose()).map_err(|cause| invalid("invalid proxy URL", cause))?;
            builder = builder.proxy(proxy);
        }
        #[cfg(feature = "tls")]
        for pem in &self.roots {
            let roots = reqwest::Certificate::from_pem_bundle(pem);
            builder = builder.tls_certs_merge(roots.map_err(|cause| invalid("invalid root certificate", cause))?);
        }
        builder.build().map_err(|cause| invalid("invalid settings", cause))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("user_agent", &self.user_agent)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
