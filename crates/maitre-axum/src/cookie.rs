//! The cookie for a marketplace's navigation bar.

use std::fmt;

use axum::http::HeaderValue;
use maitre_core::sso::is_cookie_safe;

/// Value of a `Set-Cookie` header.
#[derive(Debug, Clone)]
pub struct Cookie(HeaderValue);

impl Cookie {
    pub(crate) fn into_header(self) -> HeaderValue {
        self.0
    }
}

impl fmt::Display for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// Builds the nav-data cookie, if the data is [safe](is_cookie_safe).
///
/// The cookie is valid for the whole site, not visible to scripts, and sent when the user follows a link from the
/// marketplace.
///
/// ```
/// let cookie = maitre_axum::nav_cookie("fair-nav", Some("eyJhIjoxfQ"), true).unwrap();
/// assert_eq!(cookie.to_string(), "fair-nav=eyJhIjoxfQ; HttpOnly; SameSite=Lax; Secure; Path=/");
/// assert!(maitre_axum::nav_cookie("fair-nav", Some("a;b"), true).is_none());
/// ```
#[must_use]
pub fn nav_cookie(name: &str, nav_data: Option<&str>, secure: bool) -> Option<Cookie> {
    let nav_data = nav_data.filter(|nav_data| is_cookie_safe(nav_data))?;
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{name}={nav_data}; HttpOnly; SameSite=Lax{secure}; Path=/");
    HeaderValue::try_from(cookie).ok().map(Cookie)
}
