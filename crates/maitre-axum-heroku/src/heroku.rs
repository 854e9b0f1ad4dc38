//! What Heroku and the add-on know of each other, and the settings of this contract.

use std::fmt;
use std::path::Path;

use maitre_axum::core::{
    Credentials, CredentialsError, FromManifest, Manifest, ManifestError, Marketplace, Password, Salt, SupportsAsync,
};

/// An add-on's credentials at Heroku, and how strictly its single sign-on is read.
///
/// ```
/// use maitre_axum_heroku::Heroku;
///
/// let heroku = Heroku::new("lantern", "s3cr3t-example", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")?
///     .with_user_scoped_token_only(true);
/// assert!(!format!("{heroku:?}").contains("s3cr3t"));
/// # Ok::<(), maitre_axum::core::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Heroku {
    pub(crate) credentials: Credentials,
    pub(crate) legacy_token: bool,
    pub(crate) user_scoped_only: bool,
    pub(crate) loopback: bool,
    pub(crate) config_vars: Option<Vec<String>>,
    sso_path: String,
}

impl Heroku {
    /// The manifest's `id`, `api.password` and `api.sso_salt`.
    ///
    /// # Errors
    /// [`CredentialsError`] when one of them is empty.
    pub fn new(slug: &str, password: &str, sso_salt: &str) -> Result<Self, CredentialsError> {
        Ok(Self {
            credentials: Credentials::new(slug, password, sso_salt)?,
            legacy_token: false,
            user_scoped_only: false,
            loopback: false,
            config_vars: None,
            sso_path: "/resources/sso".to_owned(),
        })
    }

    /// All that from the manifest file.
    ///
    /// # Errors
    /// [`ManifestError`] says what is missing, and where.
    ///
    /// ```
    /// use maitre_axum_heroku::Heroku;
    ///
    /// # std::env::set_current_dir("../..").unwrap();
    /// let heroku = Heroku::from_file("addon-manifest.json")?.with_legacy_token(true);
    /// # let _ = heroku;
    /// assert!(Heroku::from_file("no-such-file.json").is_err());
    /// # Ok::<(), maitre_axum::core::ManifestError>(())
    /// ```
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        Self::from_manifest(&Manifest::read(path)?)
    }

    /// Accepts one more password while it is changed: push the new manifest, then let the old one end.
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

    /// Whether a form with the v1 `token` alone is let in; no if not set.
    ///
    /// Heroku sends better ones beside it. Older checkers (kensa) know nothing else.
    #[must_use]
    pub fn with_legacy_token(mut self, accepted: bool) -> Self {
        self.legacy_token = accepted;
        self
    }

    /// Whether only the SHA-256 `user_scoped_resource_token` is let in; no if not set.
    ///
    /// Then every identity is verified, and forms without it are refused.
    #[must_use]
    pub fn with_user_scoped_token_only(mut self, required: bool) -> Self {
        self.user_scoped_only = required;
        self
    }

    /// Where single sign-on is posted to, as a path inside the router; `/resources/sso` if not set.
    ///
    /// # Errors
    /// [`PathError`] for what is no plain path of its own.
    ///
    /// ```
    /// # use maitre_axum_heroku::Heroku;
    /// let heroku = Heroku::new("lantern", "p", "s")?;
    /// assert!(heroku.clone().with_sso_path("/sso/login").is_ok());
    /// assert!(heroku.with_sso_path("/resources").is_err(), "provisions are posted there");
    /// # Ok::<(), maitre_axum::core::CredentialsError>(())
    /// ```
    pub fn with_sso_path(mut self, path: &str) -> Result<Self, PathError> {
        let taken = path.trim_end_matches('/') == "/resources";
        let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
        if taken || !plain || path.contains("//") || !path.starts_with('/') || path == "/" {
            return Err(PathError(path.to_owned()));
        }
        path.clone_into(&mut self.sso_path);
        Ok(self)
    }

    pub(crate) fn sso_route(&self) -> &str {
        &self.sso_path
    }
}

impl Marketplace for Heroku {
    const NAME: &'static str = "heroku";

    fn slug(&self) -> &str {
        self.credentials.user()
    }
}

impl SupportsAsync for Heroku {}

impl FromManifest for Heroku {
    fn from_manifest(manifest: &Manifest) -> Result<Self, ManifestError> {
        let password = manifest.password()?.expose();
        let heroku = Self::new(&manifest.id, password, manifest.sso_salt()?.expose())?;
        Ok(Self {
            loopback: manifest.is_served_on_loopback(),
            config_vars: Some(manifest.api.config_vars.clone()),
            ..heroku
        })
    }
}

/// What [`Heroku::with_sso_path`] does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError(String);

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "single sign-on cannot be mounted at {:?}: write a path of its own such as /sso/login, of letters, digits and \
             -_.~",
            self.0
        )
    }
}

impl std::error::Error for PathError {}
