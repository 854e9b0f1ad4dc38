//! Base URLs of a marketplace's services, and paths below them.

use std::{error::Error, fmt, net::IpAddr};

use reqwest::Url;

/// Error of a URL that is not accepted. Its text contains no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidUrl(String);

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for InvalidUrl {}

/// Validated base URL to which paths are appended.
#[derive(Clone)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Validates a URL. `plain_http` allows `http` for hosts other than loopback.
    ///
    /// # Errors
    /// Returns an error if the URL is invalid, contains credentials, or would send tokens unencrypted.
    pub fn new(url: &str, plain_http: bool) -> Result<Self, InvalidUrl> {
        let url = url.trim_end_matches('/');
        let invalid = |problem: &str| InvalidUrl(format!("{} {problem}", maitre_core::mask_urls(url)));
        let parsed = Url::parse(url).map_err(|_| invalid("is not a URL"))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(invalid("contains credentials, which are not supported"));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(invalid("has a query or a fragment"));
        }
        match parsed.scheme() {
            "https" if cfg!(feature = "tls") => {}
            "https" => return Err(invalid("requires the feature `tls` of this crate")),
            "http" if plain_http || is_loopback(&parsed) => {}
            "http" => return Err(invalid("would send tokens unencrypted: use https, or call allow_plain_http()")),
            _ => return Err(invalid("is neither https nor http")),
        }
        Ok(Self(url.to_owned()))
    }

    /// Appends a path, which must begin with a slash and contain escaped ids only.
    ///
    /// # Errors
    /// Returns a sentence if the path could leave the base.
    pub fn join(&self, path: &str) -> Result<Url, &'static str> {
        let Some(segments) = path.split('?').next().and_then(|path| path.strip_prefix('/')) else {
            return Err("the path does not begin with a slash");
        };
        let is_dots = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        if segments.split('/').any(|segment| segment.is_empty() || is_dots(segment)) {
            return Err("a segment of the path is empty or consists of dots");
        }
        Url::parse(&format!("{}{path}", self.0)).map_err(|_| "the path is invalid")
    }

    /// Resolves a URL from a response. Returns `None` if it has another origin or contains credentials.
    #[must_use]
    pub fn resolve_same_origin(&self, url: &str) -> Option<Url> {
        let base = Url::parse(&self.0).ok()?;
        let url = base.join(url).ok()?;
        (url.origin() == base.origin() && url.username().is_empty() && url.password().is_none()).then_some(url)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// Escapes an id as one segment of a path.
#[must_use]
pub fn segment(id: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    id.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_never_sent_unencrypted_to_other_hosts() {
        for url in ["http://127.0.0.1:8300", "http://localhost/api", "http://[::1]:8400/"] {
            assert!(BaseUrl::new(url, false).is_ok(), "{url}");
        }
        for (url, what) in [
            ("http://api.heroku.com", "unencrypted"),
            ("http://127.0.0.1.example.org", "unencrypted"),
            ("ftp://localhost", "neither https nor http"),
            ("api.heroku.com", "is not a URL"),
            ("https://user:pw@api.heroku.com", "contains credentials"),
            ("https://api.heroku.com/?x", "has a query"),
        ] {
            let error = BaseUrl::new(url, false).expect_err(url).to_string();
            assert!(error.contains(what) && !error.contains("pw"), "{error}");
        }
        assert!(BaseUrl::new("http://sandbox:8400", true).is_ok());
    }

    #[test]
    fn https_requires_the_tls_feature() {
        let missing = BaseUrl::new("https://api.heroku.com", false).err().map(|error| error.to_string());
        assert_eq!(missing.is_none(), cfg!(feature = "tls"));
        assert!(missing.is_none_or(|message| message.contains("requires the feature `tls`")));
    }

    #[test]
    fn a_path_stays_below_its_base() {
        let base = BaseUrl::new("http://localhost/api/", false).unwrap();
        assert_eq!(base.join("/addons/7?x=1").unwrap().as_str(), "http://localhost/api/addons/7?x=1");
        for path in ["addons", "@example.org", "/addons//config", "/addons/../x", "/addons/%2e%2E", "/addons/.", "/"] {
            assert!(base.join(path).is_err(), "{path}");
        }
        assert_eq!(segment("dep1@cc/../x?é"), "dep1%40cc%2F..%2Fx%3F%C3%A9");
    }

    #[test]
    fn links_to_other_origins_are_rejected() {
        let base = BaseUrl::new("http://localhost:8400", false).unwrap();
        assert!(base.resolve_same_origin("http://localhost:8400/api/v3/apps?offset=2").is_some());
        assert!(base.resolve_same_origin("/api/v3/apps?offset=2").is_some());
        for url in [
            "https://example.org/api",
            "https://localhost:8400/",
            "http://localhost/",
            "//example.org/",
            "http://u@localhost:8400/",
        ] {
            assert!(base.resolve_same_origin(url).is_none(), "{url}");
        }
    }
}
