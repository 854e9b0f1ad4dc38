//! Credentials and settings of an add-on at Scalingo.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::StatusCode;
use maitre_axum::BasicMarketplace;
use maitre_axum::core::{CredentialsError, Marketplace, Password, Reload, ReloadError, Salt, SupportsAsync};
use serde::Deserialize;
use time::OffsetDateTime;

/// Credentials and settings of an add-on at Scalingo, made by [`Scalingo::new`] or read from the manifest.
///
/// ```
/// use maitre_axum_scalingo::Scalingo;
///
/// let manifest = r#"{ "name": "Lychee", "username": "lychee", "password": "s3cr3t-example", "sso_salt": "orange-salt" }"#;
/// let scalingo: Scalingo = serde_json::from_str(manifest)?;
/// assert!(!format!("{scalingo:?}").contains("orange"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Manifest")]
pub struct Scalingo {
    pub(crate) basic: BasicMarketplace,
    pub(crate) removed: StatusCode,
}

#[derive(Deserialize)]
struct Manifest {
    username: String,
    password: String,
    sso_salt: String,
}

impl Scalingo {
    /// Creates it from the manifest's `username`, `password` and `sso_salt`.
    ///
    /// # Errors
    /// Returns an error if one of them is empty.
    pub fn new(username: &str, password: &str, sso_salt: &str) -> Result<Self, CredentialsError> {
        Ok(Self { basic: BasicMarketplace::new(username, password, sso_salt)?, removed: StatusCode::NO_CONTENT })
    }

    /// Accepts another password, during a rotation.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        self.basic = self.basic.with_password(password);
        self
    }

    /// Accepts tokens signed with another salt, during a rotation.
    #[must_use]
    pub fn with_salt(mut self, salt: Salt) -> Self {
        self.basic = self.basic.with_salt(salt);
        self
    }

    /// Sets the status of a repeated deprovision, which Scalingo does not document. Defaults to 204.
    #[must_use]
    pub fn with_repeated_deprovision(mut self, status: StatusCode) -> Self {
        self.removed = status;
        self
    }
}

impl TryFrom<Manifest> for Scalingo {
    type Error = CredentialsError;

    fn try_from(manifest: Manifest) -> Result<Self, CredentialsError> {
        Self::new(&manifest.username, &manifest.password, &manifest.sso_salt)
    }
}

impl Marketplace for Scalingo {
    fn name(&self) -> Cow<'static, str> {
        "scalingo".into()
    }

    fn slug(&self) -> &str {
        self.basic.slug()
    }
}

impl SupportsAsync for Scalingo {}

/// The text is the manifest. Only its password and salt are reloaded.
impl Reload for Scalingo {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.basic.reload_json(text, |new: &Self| &new.basic, now, overlap)
    }
}
