use std::fmt;

use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// A cookie as a reply sets it: a name, a value and the attributes that decide when it comes back.
///
/// `Debug` masks the value.
///
/// ```
/// use maitre_testkit::Cookie;
///
/// let cookie = Cookie::parse("heroku-nav-data=eyJ9; Path=/; HttpOnly; SameSite=Lax").unwrap();
/// assert_eq!(cookie.name(), "heroku-nav-data");
/// assert_eq!(cookie.value(), "eyJ9");
/// assert_eq!(cookie.path(), Some("/"));
/// assert_eq!(cookie.same_site(), Some("Lax"));
/// assert!(cookie.is_http_only() && !cookie.is_secure());
/// ```
#[derive(Clone)]
pub struct Cookie {
    name: String,
    value: String,
    attributes: Vec<(String, String)>,
}

impl Cookie {
    /// Reads the value of a `Set-Cookie` header as browsers do; `None` when it names no cookie.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let attributes = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
        (!name.trim().is_empty()).then(|| Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            attributes: attributes.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect(),
        })
    }

    pub(crate) fn plain(name: &str, value: &str) -> Self {
        let attributes = vec![("Path".to_owned(), "/".to_owned())];
        Self { name: name.to_owned(), value: value.to_owned(), attributes }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, as sent.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// An attribute by its name, in any case; a bare one such as `Secure` has the value `""`.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        // Of an attribute given twice, the last one counts.
        let mut backwards = self.attributes.iter().rev();
        backwards.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The `Path` attribute.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.attribute("path")
    }

    /// The `SameSite` attribute.
    #[must_use]
    pub fn same_site(&self) -> Option<&str> {
        self.attribute("samesite")
    }

    /// Whether the cookie is kept from plain HTTP.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.attribute("secure").is_some()
    }

    /// Whether the cookie is kept from scripts.
    #[must_use]
    pub fn is_http_only(&self) -> bool {
        self.attribute("httponly").is_some()
    }

    /// Whether the cookie has run out at `now`, so that setting it removes it: by a `Max-Age` of zero or less,
    /// or else by an `Expires` that has passed.
    #[must_use]
    pub fn is_removal(&self, now: OffsetDateTime) -> bool {
        if let Some(seconds) = self.attribute("max-age").and_then(|age| age.parse::<i64>().ok()) {
            return seconds <= 0;
        }
        let expires = self.attribute("expires").map(|date| date.replace('-', " "));
        expires.and_then(|date| OffsetDateTime::parse(&date, &Rfc2822).ok()).is_some_and(|expires| expires <= now)
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie").field("name", &self.name).field("attributes", &self.attributes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removes(header: &str) -> bool {
        let now = OffsetDateTime::from_unix_timestamp(1_772_000_000).expect("a moment of 2026");
        Cookie::parse(header).expect("a cookie").is_removal(now)
    }

    #[test]
    fn removal_in_every_dialect() {
        assert!(removes("id=; Max-Age=0"));
        assert!(removes("id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
        assert!(removes("id=; expires=Thu, 01-Jan-1970 00:00:01 GMT"));
        assert!(!removes("id=7"));
        assert!(!removes("id=7; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
    }

    #[test]
    fn the_value_is_not_printed() {
        let cookie = Cookie::parse("id=s3cr3t; Path=/").expect("a cookie");
        assert!(!format!("{cookie:?}").contains("s3cr3t"));
    }
}
