//! Splits URLs, as far as manifests and redirects need it.

/// Parts of a URL: `scheme://authority` and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) authority: &'a str,
}

/// Splits an absolute URL with a host; returns `None` for anything else.
pub(crate) fn split(url: &str) -> Option<Parts<'_>> {
    let (origin, _) = split_origin(url);
    let (scheme, authority) = origin.split_once("://")?;
    let parts = Parts { scheme, authority };
    let is_valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !parts.host().is_empty()
        && !url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\');
    is_valid.then_some(parts)
}

/// Splits a URL into `scheme://authority` and the rest, which begins with `/`, `?` or `#`.
///
/// ```
/// let url = "http://localhost:8300/sso?id=4711";
/// assert_eq!(maitre_conformance::split_origin(url), ("http://localhost:8300", "/sso?id=4711"));
/// ```
#[must_use]
pub fn split_origin(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |start| start + 3);
    url.split_at(url[authority..].find(['/', '?', '#']).map_or(url.len(), |end| authority + end))
}

/// Returns whether a value is a URL with scheme and host. Accepts any scheme, because databases have their own.
pub(crate) fn has_scheme_and_host(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let is_scheme_char = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(is_scheme_char)
        && !host.is_empty()
        && !host.starts_with(':')
}

impl<'a> Parts<'a> {
    /// Returns host and port, without user information.
    pub(crate) fn host_and_port(&self) -> &'a str {
        self.authority.rsplit_once('@').map_or(self.authority, |(_, host)| host)
    }

    pub(crate) fn host(&self) -> &'a str {
        let host = self.host_and_port();
        match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => host,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_into_its_parts() {
        let parts = split("https://u:p@api.lantern.example:8443/heroku/resources?a#b").unwrap();
        assert_eq!((parts.scheme, parts.host()), ("https", "api.lantern.example"));
        assert_eq!(parts.host_and_port(), "api.lantern.example:8443");
        assert_eq!(split("http://[::1]:8300").unwrap().host(), "[::1]");
        assert_eq!(split_origin("http://localhost:8300/in?a=b"), ("http://localhost:8300", "/in?a=b"));
        assert_eq!(split_origin("http://localhost:8300"), ("http://localhost:8300", ""));
    }

    #[test]
    fn text_without_a_host_is_not_a_url() {
        let texts = [
            "",
            "lantern.example",
            "https://",
            "https:///a",
            "://a",
            "1a://b",
            "https://a b",
            "https://a\\b",
            "https://:80",
        ];
        for text in texts {
            assert_eq!(split(text), None, "{text}");
        }
    }

    #[test]
    fn a_url_has_scheme_and_host() {
        let valid = ["https://x.example", "postgres://u:p%23@db.example:5432/a?b", "redis+tls://h", "http://[::1]:80/"];
        for url in valid {
            assert!(has_scheme_and_host(url), "{url}");
        }
        for text in ["", "x.example/a", "https://", "https:///a", "://x", "1a://x", "https://u:p@/a", "http://:80"] {
            assert!(!has_scheme_and_host(text), "{text}");
        }
    }
}
