use std::{error, fmt, str::FromStr};

use time::OffsetDateTime;

/// A cookie that a reply sets: a name, a value and its attributes.
///
/// `Debug` masks the value.
///
/// ```
/// use maitre_testkit::Cookie;
///
/// let cookie: Cookie = "heroku-nav-data=eyJ9; Path=/; HttpOnly; SameSite=Lax".parse()?;
/// assert_eq!(cookie.name(), "heroku-nav-data");
/// assert_eq!(cookie.value(), "eyJ9");
/// assert_eq!(cookie.path(), Some("/"));
/// assert_eq!(cookie.same_site(), Some("Lax"));
/// assert!(cookie.is_http_only() && !cookie.is_secure());
/// # Ok::<(), maitre_testkit::ParseCookieError>(())
/// ```
#[derive(Clone)]
pub struct Cookie(cookie::Cookie<'static>);

impl Cookie {
    pub(crate) fn new(inner: cookie::Cookie<'static>) -> Self {
        Self(inner)
    }

    pub(crate) fn into_inner(self) -> cookie::Cookie<'static> {
        self.0
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Returns the value as sent.
    #[must_use]
    pub fn value(&self) -> &str {
        self.0.value()
    }

    /// Returns the `Domain` attribute.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        self.0.domain()
    }

    /// Returns the `Path` attribute.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.0.path()
    }

    /// Returns the `SameSite` attribute: `Strict`, `Lax` or `None`.
    #[must_use]
    pub fn same_site(&self) -> Option<&'static str> {
        self.0.same_site().map(|policy| match policy {
            cookie::SameSite::Strict => "Strict",
            cookie::SameSite::Lax => "Lax",
            cookie::SameSite::None => "None",
        })
    }

    /// Whether the cookie is not sent over plain HTTP.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.0.secure().unwrap_or(false)
    }

    /// Whether the cookie is hidden from scripts.
    #[must_use]
    pub fn is_http_only(&self) -> bool {
        self.0.http_only().unwrap_or(false)
    }

    /// Whether the cookie is expired at `now`, so that setting it removes it: because of a `Max-Age` of zero or less,
    /// or without a `Max-Age` because of an `Expires` in the past.
    #[must_use]
    pub fn is_removal(&self, now: OffsetDateTime) -> bool {
        match self.0.max_age() {
            Some(age) => !age.is_positive(),
            None => self.0.expires_datetime().is_some_and(|expires| expires <= now),
        }
    }
}

impl FromStr for Cookie {
    type Err = ParseCookieError;

    /// Parses the value of a `Set-Cookie` header.
    fn from_str(header: &str) -> Result<Self, ParseCookieError> {
        cookie::Cookie::parse(header.to_owned()).map(Self).map_err(|cause| ParseCookieError(cause.to_string()))
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &self.name())
            .field("domain", &self.domain())
            .field("path", &self.path())
            .field("same_site", &self.same_site())
            .field("secure", &self.is_secure())
            .field("http_only", &self.is_http_only())
            .finish_non_exhaustive()
    }
}

/// Error of parsing a [`Cookie`] from a header without a name or a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseCookieError(String);

impl fmt::Display for ParseCookieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a cookie: {}", self.0)
    }
}

impl error::Error for ParseCookieError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn removes(header: &str) -> bool {
        let now = OffsetDateTime::from_unix_timestamp(1_772_000_000).expect("a time in 2026");
        header.parse::<Cookie>().expect("a cookie").is_removal(now)
    }

    #[test]
    fn every_date_format_can_remove_a_cookie() {
        assert!(removes("id=; Max-Age=0"));
        assert!(removes("id=; Max-Age=-1"));
        assert!(removes("id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
        assert!(removes("id=; expires=Thu, 01-Jan-1970 00:00:01 GMT"));
        assert!(!removes("id=7"));
        assert!(!removes("id=7; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
    }

    #[test]
    fn a_header_without_a_name_is_an_error() {
        assert!("=7; Path=/".parse::<Cookie>().is_err());
        assert!("Path".parse::<Cookie>().is_err());
    }

    #[test]
    fn debug_does_not_print_the_value() {
        let cookie: Cookie = "id=s3cr3t; Path=/".parse().expect("a cookie");
        assert!(!format!("{cookie:?}").contains("s3cr3t"));
    }
}
