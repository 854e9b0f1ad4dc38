//! Credentials and settings of an add-on at Clever Cloud.

use std::borrow::Cow;
use std::time::Duration;

use maitre_axum::BasicMarketplace;
use maitre_axum::core::{
    CredentialsError, FromManifest, Manifest, ManifestError, Marketplace, Password, Reload, ReloadError, Salt,
};
use time::OffsetDateTime;

/// Credentials and settings of an add-on at Clever Cloud, made by [`CleverCloud::new`] or read from the manifest.
///
/// ```
/// use maitre_axum_clevercloud::CleverCloud;
///
/// let clevercloud = CleverCloud::new("quince", "s3cr3t-example", "plum-salt")?;
/// assert!(!format!("{clevercloud:?}").contains("plum"));
/// # Ok::<(), maitre_axum::core::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CleverCloud {
    pub(crate) basic: BasicMarketplace,
    pub(crate) legacy_token: bool,
    pub(crate) no_content: bool,
}

impl CleverCloud {
    /// Creates it from the manifest's `id`, `api.password` and `api.sso_salt`.
    ///
    /// # Errors
    /// Returns an error if one of them is empty.
    pub fn new(id: &str, password: &str, sso_salt: &str) -> Result<Self, CredentialsError> {
        Ok(Self::from_basic(BasicMarketplace::new(id, password, sso_salt)?))
    }

    fn from_basic(basic: BasicMarketplace) -> Self {
        Self { basic, legacy_token: false, no_content: false }
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

    /// Sets whether the SHA-1 `token` from before 2025 is accepted if a form has no `signature`. Defaults to `false`.
    #[must_use]
    pub fn with_legacy_token(mut self, accepted: bool) -> Self {
        self.legacy_token = accepted;
        self
    }

    /// Sets whether a deprovision is answered 204, as Clever Cloud's own kit does, in place of the documented 200. Defaults
    /// to `false`.
    #[must_use]
    pub fn with_no_content(mut self, enabled: bool) -> Self {
        self.no_content = enabled;
        self
    }
}

impl Marketplace for CleverCloud {
    fn name(&self) -> Cow<'static, str> {
        "clevercloud".into()
    }

    fn slug(&self) -> &str {
        self.basic.slug()
    }
}

impl FromManifest for CleverCloud {
    fn from_manifest(manifest: &Manifest) -> Result<Self, ManifestError> {
        Ok(Self::from_basic(BasicMarketplace::from_manifest(manifest)?))
    }
}

/// The text is the manifest. Only its password and salt are reloaded.
impl Reload for CleverCloud {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.basic.reload(text, now, overlap)
    }
}
