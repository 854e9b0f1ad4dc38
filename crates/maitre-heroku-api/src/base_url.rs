//! Where Heroku is, and paths below it.

use std::{fmt, net::IpAddr};

use reqwest::Url;

use crate::Error;

/// A place to which paths are added.
#[derive(Clone)]
pub(crate) struct BaseUrl(String);

impl BaseUrl {
    /// `plain_http` admits `http` to other machines.
    pub(crate) fn new(url: &str, plain_http: bool) -> Result<Self, Error> {
        let url = url.trim_end_matches('/');
        let complain = |what: &str| Error::setup(format!("{} {what}", maitre_core::mask_urls(url)));
        let parsed = Url::parse(url).map_err(|_| complain("is no URL"))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(complain("holds a user, for which there is no use"));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(complain("goes on after its path"));
        }
        match parsed.scheme() {
            "https" if cfg!(feature = "tls") => {}
            "https" => return Err(complain("needs the feature `tls` of maitre-heroku-api: turn it on")),
            "http" if plain_http || is_this_machine(&parsed) => {}
            "http" => return Err(complain("would send tokens in the clear: write https, or allow_plain_http()")),
            _ => return Err(complain("is neither https nor http")),
        }
        Ok(Self(url.to_owned()))
    }

    /// A path below, which begins with a slash; its ids are escaped already.
    pub(crate) fn join(&self, path: &str) -> Result<Url, &'static str> {
        let Some(segments) = path.split('?').next().and_then(|path| path.strip_prefix('/')) else {
            return Err("a path begins with a slash");
        };
        let climbs = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        if segments.split('/').any(|segment| segment.is_empty() || climbs(segment)) {
            return Err("a segment of the path is empty or made of dots");
        }
        Url::parse(&format!("{}{path}", self.0)).map_err(|_| "the path is none")
    }

    /// A URL that an answer points to, if it is here.
    pub(crate) fn own(&self, url: &str) -> Option<Url> {
        let own = Url::parse(&self.0).ok()?;
        let url = own.join(url).ok()?;
        (url.origin() == own.origin() && url.username().is_empty() && url.password().is_none()).then_some(url)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_this_machine(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// An id as one segment of a path.
pub(crate) fn segment(id: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    id.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_travel_in_the_clear() {
        for url in ["http://127.0.0.1:5000", "http://localhost/api", "http://[::1]:7000/"] {
            assert!(BaseUrl::new(url, false).is_ok(), "{url}");
        }
        for (url, what) in [
            ("http://api.heroku.com", "in the clear"),
            ("http://127.0.0.1.example.org", "in the clear"),
            ("ftp://localhost", "neither https nor http"),
            ("api.heroku.com", "is no URL"),
            ("https://user:pw@api.heroku.com", "holds a user"),
            ("https://api.heroku.com/?x", "goes on"),
        ] {
            let error = BaseUrl::new(url, false).expect_err(url).to_string();
            assert!(error.contains(what) && !error.contains("pw"), "{error}");
        }
        assert!(BaseUrl::new("http://sandbox:7000", true).is_ok());
    }

    #[test]
    fn https_is_a_feature() {
        let missing = BaseUrl::new("https://api.heroku.com", false).err().map(|error| error.to_string());
        assert_eq!(missing.is_none(), cfg!(feature = "tls"));
        assert!(missing.is_none_or(|sentence| sentence.contains("needs the feature `tls`")));
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
    fn a_link_elsewhere_is_not_ours() {
        let base = BaseUrl::new("http://localhost:7000", false).unwrap();
        assert!(base.own("http://localhost:7000/api/v3/apps?offset=2").is_some());
        assert!(base.own("/api/v3/apps?offset=2").is_some());
        for url in [
            "https://example.org/api",
            "https://localhost:7000/",
            "http://localhost/",
            "//example.org/",
            "http://u@localhost:7000/",
        ] {
            assert!(base.own(url).is_none(), "{url}");
        }
    }
}
