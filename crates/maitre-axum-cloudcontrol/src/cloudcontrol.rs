//! Credentials and settings of an add-on at cloudControl.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use maitre_axum::BasicMarketplace;
use maitre_axum::core::{
    CredentialsError, FromManifest, Manifest, ManifestError, Marketplace, Password, Reload, ReloadError, Salt,
};
use time::OffsetDateTime;

/// Credentials and settings of an add-on at cloudControl.
///
/// ```
/// use maitre_axum_cloudcontrol::CloudControl;
///
/// let cloudcontrol = CloudControl::new("papaya", "s3cr3t-example", "rock salt")?;
/// assert!(!format!("{cloudcontrol:?}").contains("salt\""));
/// # Ok::<(), maitre_axum::core::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CloudControl {
    pub(crate) basic: BasicMarketplace,
    pub(crate) keyed: bool,
}

impl CloudControl {
    /// Creates it from the manifest's `id`, `api.password` and `api.sso_salt`.
    ///
    /// # Errors
    /// Returns an error if one of them is empty.
    pub fn new(slug: &str, password: &str, sso_salt: &str) -> Result<Self, CredentialsError> {
        Ok(Self { basic: BasicMarketplace::new(slug, password, sso_salt)?, keyed: false })
    }

    /// Creates it from a manifest file.
    ///
    /// # Errors
    /// Returns an error that names the missing key.
    ///
    /// ```
    /// use maitre_axum_cloudcontrol::CloudControl;
    ///
    /// assert!(CloudControl::from_file("no-such-file.json").is_err());
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        Self::from_manifest(&Manifest::read(path)?)
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

    /// Sets whether the `cloudcontrol_id` is the resource's key. Defaults to `false`.
    ///
    /// cloudControl sends no key, so by default each provision is a new resource. The `cloudcontrol_id` is the customer's
    /// deployment: use it for an add-on that a deployment can have only once.
    #[must_use]
    pub fn with_deployment_key(mut self, keyed: bool) -> Self {
        self.keyed = keyed;
        self
    }
}

impl Marketplace for CloudControl {
    fn name(&self) -> Cow<'static, str> {
        "cloudcontrol".into()
    }

    fn slug(&self) -> &str {
        self.basic.slug()
    }
}

impl FromManifest for CloudControl {
    fn from_manifest(manifest: &Manifest) -> Result<Self, ManifestError> {
        Ok(Self { basic: BasicMarketplace::from_manifest(manifest)?, keyed: false })
    }
}

/// The text is the manifest. Only its password and salt are reloaded.
impl Reload for CloudControl {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.basic.reload(text, now, overlap)
    }
}
