//! Minimal URL parsing for manifests and redirects. Nothing connects to these URLs.

/// Parts of a URL: `scheme://authority` and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) authority: &'a str,
    /// Everything from the first `/`, `?` or `#`.
    pub(crate) path: &'a str,
}

/// Splits an absolute URL with a host. Returns `None` for anything else.
pub(crate) fn split(url: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let parts = Parts { scheme, authority, path };
    let well_formed = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !parts.host().is_empty()
        && !url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
    well_formed.then_some(parts)
}

impl<'a> Parts<'a> {
    pub(crate) fn host(&self) -> &'a str {
        let host = self.authority.rsplit_once('@').map_or(self.authority, |(_, host)| host);
        without_port(host)
    }

    /// Returns whether the URL is `http` on this machine, as a manifest's test URL is.
    pub(crate) fn is_loopback_http(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("http") && is_loopback(self.host())
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Returns whether an authority (a `Host` header, with or without a port) names this machine.
///
/// ```
/// use maitre_core::manifest::is_loopback;
///
/// assert!(is_loopback("localhost:8300") && is_loopback("127.0.0.1") && is_loopback("[::1]:80"));
/// assert!(!is_loopback("127.0.0.1.example.org") && !is_loopback("example.org"));
/// ```
#[must_use]
pub fn is_loopback(authority: &str) -> bool {
    let host = without_port(authority);
    host.eq_ignore_ascii_case("localhost")
        || host == "[::1]"
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_url_is_split_into_its_parts() {
        let parts = split("https://u:p@api.lantern.example:8443/heroku/resources?a#b").unwrap();
        assert_eq!((parts.scheme, parts.host(), parts.path), ("https", "api.lantern.example", "/heroku/resources?a#b"));
        assert_eq!(split("http://[::1]:8300").unwrap().host(), "[::1]");
    }

    #[test]
    fn text_without_a_host_is_not_a_url() {
        for text in [
            "",
            "lantern.example",
            "https://",
            "https:///a",
            "://a",
            "1a://b",
            "https://a b",
            "https://a\\b",
            "https://:80",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
