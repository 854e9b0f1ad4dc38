//! As much of a URL as a manifest and a redirect need; nothing is ever dialled with it.

/// A URL cut at its borders: `scheme://authority` and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) authority: &'a str,
    /// From the first `/`, `?` or `#` on.
    pub(crate) path: &'a str,
}

/// Cuts an absolute URL with a host; `None` for anything else.
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

    /// `http` on this machine: what a manifest's test URL looks like.
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

/// Whether an authority (a `Host` header, with or without a port) names this machine.
///
/// ```
/// use maitre_core::manifest::is_loopback;
///
/// assert!(is_loopback("localhost:5000") && is_loopback("127.0.0.1") && is_loopback("[::1]:80"));
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
    fn a_url_is_cut_at_its_borders() {
        let parts = split("https://u:p@api.lantern.example:8443/heroku/resources?a#b").unwrap();
        assert_eq!((parts.scheme, parts.host(), parts.path), ("https", "api.lantern.example", "/heroku/resources?a#b"));
        assert_eq!(split("http://[::1]:5000").unwrap().host(), "[::1]");
    }

    #[test]
    fn what_has_no_host_is_no_url() {
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
