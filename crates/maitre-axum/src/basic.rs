//! Basic credentials, as used by several marketplaces.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use headers::authorization::Basic;
use headers::{Authorization, HeaderMapExt};
use maitre_core::manifest::is_loopback;
use maitre_core::sso::{SignedFields, TokenError};
use maitre_core::{
    Credentials, CredentialsError, Manifest, ManifestError, Marketplace, Password, Reload, ReloadError, Salt,
    SecretUse, SignOn,
};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::cookie::{Cookie, nav_cookie};
use crate::error_reply::ErrorReply;
use crate::incoming::Incoming;
use crate::metrics::record_secret_use;

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
    check_basic(headers, credentials, now).is_some()
}

/// Like [`verify_basic`], and tells which password was sent, for [`record_secret_use`].
#[must_use]
pub fn check_basic(headers: &HeaderMap, credentials: &Credentials, now: OffsetDateTime) -> Option<SecretUse> {
    let single = headers.get_all(AUTHORIZATION).iter().nth(1).is_none();
    let sent: Option<Authorization<Basic>> = headers.typed_get();
    let sent = sent.filter(|_| single)?;
    credentials.check(sent.username(), sent.password(), now)
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

    /// Creates it from credentials whose passwords may be hashes.
    ///
    /// ```
    /// use maitre_axum::BasicMarketplace;
    /// use maitre_axum::core::{Credentials, Password, Salt};
    ///
    /// let hash = "03e3b97b1b2d0ed07eea65e72bcabdaa4cb46cab35a24d0c52ba6eab0de1f0ab";
    /// let credentials = Credentials::with_passwords("lantern", [Password::from_sha256(hash)?])?;
    /// let lantern = BasicMarketplace::from_credentials(credentials.with_salt(Salt::new("0f1e2d3c4b5a6978")?));
    /// assert_eq!((lantern.slug(), lantern.salts().len()), ("lantern", 1));
    /// # Ok::<(), maitre_axum::core::CredentialsError>(())
    /// ```
    #[must_use]
    pub fn from_credentials(credentials: Credentials) -> Self {
        Self { credentials, loopback: false }
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

    /// Replaces the password and salt in all clones; see [`Credentials::replace`].
    ///
    /// # Errors
    /// Returns an error if `new` is for another slug.
    pub fn replace(&self, new: &Self, now: OffsetDateTime, overlap: Duration) -> Result<(), CredentialsError> {
        self.credentials.replace(&new.credentials, now, overlap)
    }

    /// Replaces the password and salt by those in the JSON settings of a marketplace, whose [`Reload`] calls it. `basic` returns
    /// the part of the parsed settings that has them.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use maitre_axum::BasicMarketplace;
    /// use maitre_axum::core::CredentialsError;
    /// use time::OffsetDateTime;
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(try_from = "Settings")]
    /// struct Bazaar(BasicMarketplace);
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Settings {
    ///     slug: String,
    ///     password: String,
    ///     salt: String,
    /// }
    ///
    /// impl TryFrom<Settings> for Bazaar {
    ///     type Error = CredentialsError;
    ///
    ///     fn try_from(settings: Settings) -> Result<Self, CredentialsError> {
    ///         BasicMarketplace::new(&settings.slug, &settings.password, &settings.salt).map(Self)
    ///     }
    /// }
    ///
    /// let basic = BasicMarketplace::new("lantern", "old-password", "old-salt")?;
    /// let reload = |json| {
    ///     basic.reload_json(json, |new: &Bazaar| &new.0, OffsetDateTime::UNIX_EPOCH, Duration::from_secs(60))
    /// };
    /// reload(r#"{ "slug": "lantern", "password": "new-password", "salt": "new-salt" }"#)?;
    /// assert_eq!(basic.salts().len(), 2); // tokens with the old salt are accepted for a minute
    /// assert!(reload(r#"{ "slug": "another", "password": "new-password", "salt": "new-salt" }"#).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if the settings are invalid or for another slug.
    pub fn reload_json<M: DeserializeOwned>(
        &self,
        json: &str,
        basic: impl FnOnce(&M) -> &Self,
        now: OffsetDateTime,
        overlap: Duration,
    ) -> Result<(), ReloadError> {
        let new: M = serde_json::from_str(json).map_err(|error| ReloadError::json(&error))?;
        self.replace(basic(&new), now, overlap).map_err(ReloadError::new)
    }

    /// Replaces the passwords by those of a text with one password per line; each may be `sha256:` and a hash.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use maitre_axum::BasicMarketplace;
    /// use time::OffsetDateTime;
    ///
    /// let (now, overlap) = (OffsetDateTime::UNIX_EPOCH, Duration::from_secs(60));
    /// let basic = BasicMarketplace::new("lantern", "old-password", "salt")?;
    /// basic.reload_passwords("new-password\nnext-password\n", now, overlap)?;
    /// assert!(basic.reload_passwords("", now, overlap).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns an error if there is none, or if one is invalid.
    pub fn reload_passwords(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        let passwords = Password::parse_lines(text).map_err(ReloadError::new)?;
        self.credentials.replace_passwords(&passwords, now, overlap);
        Ok(())
    }

    /// Returns the add-on's slug, which is the Basic user.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.credentials.user()
    }

    /// Returns the salts for token verification.
    #[must_use]
    pub fn salts(&self) -> Arc<[Salt]> {
        self.credentials.salts()
    }

    /// Checks that the request has the add-on's credentials; see [`verify_basic`].
    ///
    /// # Errors
    /// Returns a 401 otherwise.
    pub fn authenticate<M: Marketplace>(&self, request: &Incoming<M, ()>) -> Result<(), ErrorReply> {
        let used = check_basic(request.headers(), &self.credentials, request.now());
        let used = used.ok_or_else(|| ErrorReply::unauthorized(CHALLENGE))?;
        record_secret_use(request.addon().id(), "password", used);
        Ok(())
    }

    /// Verifies a single sign-on token with the salts and the add-on's window.
    ///
    /// # Errors
    /// Returns the reason for the log.
    pub fn verify_token<M: Marketplace>(
        &self,
        request: &Incoming<M, ()>,
        fields: SignedFields<'_>,
        token: &str,
        timestamp: &str,
    ) -> Result<(), TokenError> {
        let (window, now) = (request.addon().sso_window(), request.now());
        self.verify_by(request, |salts| fields.verify(token, timestamp, salts, window, now))
    }

    /// Verifies a single sign-on token by a function of the salts, for marketplaces whose timestamp is not in seconds. The use
    /// of an old salt is counted.
    ///
    /// # Errors
    /// Returns the reason for the log.
    pub fn verify_by<M: Marketplace>(
        &self,
        request: &Incoming<M, ()>,
        verify: impl Fn(&[Salt]) -> Result<(), TokenError>,
    ) -> Result<(), TokenError> {
        let salts = self.salts();
        verify(&salts)?;
        if salts.iter().any(Salt::is_old) {
            let current: Vec<_> = salts.iter().filter(|salt| !salt.is_old()).cloned().collect();
            let used = if verify(&current).is_ok() { SecretUse::Current } else { SecretUse::Old };
            record_secret_use(request.addon().id(), "salt", used);
        }
        Ok(())
    }

    /// Builds the cookie with the nav-data of a sign-on. It is `Secure` unless the manifest has an `http` URL on this
    /// machine and the browser uses one: browsers discard `Secure` cookies over `http`.
    #[must_use]
    pub fn nav_cookie(&self, name: &str, request: &SignOn, host: Option<&str>) -> Option<Cookie> {
        let plain = self.loopback && host.is_some_and(is_loopback);
        nav_cookie(name, request.nav_data.as_deref(), !plain)
    }
}

/// The text is the manifest of the add-on.
impl Reload for BasicMarketplace {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.credentials.reload(text, now, overlap)
    }
}
