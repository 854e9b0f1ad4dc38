//! Basic credentials, as used by several marketplaces.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use headers::authorization::Basic;
use headers::{Authorization, HeaderMapExt};
use maitre_core::manifest::is_loopback;
use maitre_core::{Credentials, CredentialsError, Manifest, ManifestError, Password, Salt, SignOn};
use time::OffsetDateTime;

use crate::cookie::{Cookie, nav_cookie};
use crate::error_reply::ErrorReply;

const CHALLENGE: &str = r#"Basic realm="Add-on API", charset="UTF-8""#;

/// Returns whether the request has the add-on's Basic credentials (RFC 7617).
///
/// The scheme is case-insensitive, the first colon separates user and password, base64 is strict, and the text is UTF-8.
/// Two `Authorization` headers are rejected, as a proxy may have checked the other one.
///
/// ```
/// use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
/// use maitre_axum::verify_basic;
/// use maitre_axum::core::Credentials;
/// use time::OffsetDateTime;
///
/// let credentials = Credentials::new("lantern", "s3cr3t-example", "salt")?;
/// let mut headers = HeaderMap::new();
/// assert!(!verify_basic(&headers, &credentials, OffsetDateTime::UNIX_EPOCH));
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("basic bGFudGVybjpzM2NyM3QtZXhhbXBsZQ=="));
/// assert!(verify_basic(&headers, &credentials, OffsetDateTime::UNIX_EPOCH));
/// # Ok::<(), maitre_axum::core::CredentialsError>(())
/// ```
#[must_use]
pub fn verify_basic(headers: &HeaderMap, credentials: &Credentials, now: OffsetDateTime) -> bool {
    let single = headers.get_all(AUTHORIZATION).iter().nth(1).is_none();
    let sent: Option<Authorization<Basic>> = headers.typed_get();
    single && sent.is_some_and(|sent| credentials.verify(sent.username(), sent.password(), now))
}

/// Credentials of an add-on at a marketplace with Basic authentication and salted single sign-on tokens.
///
/// The crate of a marketplace wraps it and adds its own settings.
#[derive(Debug, Clone)]
pub struct BasicMarketplace {
    credentials: Credentials,
    loopback: bool,
}

impl BasicMarketplace {
    /// Creates it from the manifest's `id`, `api.password` and `api.sso_salt`.
    ///
    /// # Errors
    /// Returns an error if one of them is empty.
    pub fn new(slug: &str, password: &str, sso_salt: &str) -> Result<Self, CredentialsError> {
        Ok(Self { credentials: Credentials::new(slug, password, sso_salt)?, loopback: false })
    }

    /// Creates it from a manifest. Without a salt and URLs for single sign-on, every sign-on is refused.
    ///
    /// # Errors
    /// Returns an error that names the missing key.
    pub fn from_manifest(manifest: &Manifest) -> Result<Self, ManifestError> {
        Ok(Self { credentials: manifest.credentials()?, loopback: manifest.is_served_on_loopback() })
    }

    /// Accepts another password, during a rotation.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        self.credentials = self.credentials.with_password(password);
        self
    }

    /// Accepts tokens signed with another salt, during a rotation.
    #[must_use]
    pub fn with_salt(mut self, salt: Salt) -> Self {
        self.credentials = self.credentials.with_salt(salt);
        self
    }

    /// Returns the add-on's slug, which is the Basic user.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.credentials.user()
    }

    /// Returns the salts for token verification.
    #[must_use]
    pub fn salts(&self) -> &[Salt] {
        self.credentials.salts()
    }

    /// Checks that the request has the add-on's credentials; see [`verify_basic`].
    ///
    /// # Errors
    /// Returns a 401 otherwise.
    pub fn authenticate(&self, headers: &HeaderMap, now: OffsetDateTime) -> Result<(), ErrorReply> {
        if verify_basic(headers, &self.credentials, now) { Ok(()) } else { Err(ErrorReply::unauthorized(CHALLENGE)) }
    }

    /// Builds the cookie with the nav-data of a sign-on. It is `Secure` unless the manifest has an `http` URL on this
    /// machine and the browser uses one: browsers discard `Secure` cookies over `http`.
    #[must_use]
    pub fn nav_cookie(&self, name: &str, request: &SignOn, host: Option<&str>) -> Option<Cookie> {
        let plain = self.loopback && host.is_some_and(is_loopback);
        nav_cookie(name, request.nav_data.as_deref(), !plain)
    }
}
