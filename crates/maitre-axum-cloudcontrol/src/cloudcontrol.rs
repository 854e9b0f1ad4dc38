//! What cloudControl and the add-on know of each other, and the settings of this contract.

use std::path::Path;

use maitre_axum::core::{
    Credentials, CredentialsError, FromManifest, Manifest, ManifestError, Marketplace, Password, Salt,
};

/// An add-on's credentials at cloudControl.
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
    pub(crate) credentials: Credentials,
    pub(crate) keyed: bool,
    pub(crate) loopback: bool,
}

impl CloudControl {
    /// The manifest's `id`, `api.password` and `api.sso_salt`.
    ///
    /// # Errors
    /// [`CredentialsError`] when one of them is empty.
    pub fn new(slug: &str, password: &str, sso_salt: &str) -> Result<Self, CredentialsError> {
        Ok(Self { credentials: Credentials::new(slug, password, sso_salt)?, keyed: false, loopback: false })
    }

    /// All that from the manifest file.
    ///
    /// # Errors
    /// [`ManifestError`] says what is missing, and where.
    ///
    /// ```
    /// use maitre_axum_cloudcontrol::CloudControl;
    ///
    /// assert!(CloudControl::from_file("no-such-file.json").is_err());
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        Self::from_manifest(&Manifest::read(path)?)
    }

    /// Accepts one more password while it is changed.
    #[must_use]
    pub fn with_password(mut self, password: Password) -> Self {
        self.credentials = self.credentials.with_password(password);
        self
    }

    /// Accepts tokens of one more salt while it is changed.
    #[must_use]
    pub fn with_salt(mut self, salt: Salt) -> Self {
        self.credentials = self.credentials.with_salt(salt);
        self
    }

    /// Whether the `cloudcontrol_id` names the resource; no if not set.
    ///
    /// cloudControl sends no key of the resource, so each provision is a resource of its own. The `cloudcontrol_id` is
    /// the customer's deployment: right for an add-on that a deployment can have once.
    #[must_use]
    pub fn with_deployment_key(mut self, keyed: bool) -> Self {
        self.keyed = keyed;
        self
    }
}

impl Marketplace for CloudControl {
    const NAME: &'static str = "cloudcontrol";

    fn slug(&self) -> &str {
        self.credentials.user()
    }
}

impl FromManifest for CloudControl {
    fn from_manifest(manifest: &Manifest) -> Result<Self, ManifestError> {
        let password = manifest.password()?.expose();
        let cloudcontrol = Self::new(&manifest.id, password, manifest.sso_salt()?.expose())?;
        Ok(Self { loopback: manifest.is_served_on_loopback(), ..cloudcontrol })
    }
}
