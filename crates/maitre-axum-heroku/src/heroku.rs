//! Credentials and settings of an add-on at Heroku.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use maitre_axum::BasicMarketplace;
use maitre_axum::core::{
    CredentialsError, FromManifest, Manifest, ManifestError, Marketplace, Password, Reload, ReloadError, Salt,
    SupportsAsync,
};
use time::OffsetDateTime;

/// Credentials and settings of an add-on at Heroku.
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
    pub(crate) basic: BasicMarketplace,
    pub(crate) legacy_token: bool,
    pub(crate) user_scoped_only: bool,
    pub(crate) config_vars: Option<Vec<String>>,
    sso_path: String,
}

impl Heroku {
    /// Creates it from the manifest's `id`, `api.password` and `api.sso_salt`.
    ///
    /// # Errors
    /// Returns an error if one of them is empty.
    pub fn new(slug: &str, password: &str, sso_salt: &str) -> Result<Self, CredentialsError> {
        Ok(Self::from_basic(BasicMarketplace::new(slug, password, sso_salt)?))
    }

    fn from_basic(basic: BasicMarketplace) -> Self {
        Self {
            basic,
            legacy_token: false,
            user_scoped_only: false,
            config_vars: None,
            sso_path: "/resources/sso".to_owned(),
        }
    }

    /// Creates it from a manifest file.
    ///
    /// # Errors
    /// Returns an error that names the missing key.
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

    /// Accepts another password, during a rotation: push the new manifest, then remove the old password.
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

    /// Sets whether a form with only the v1 `token` is accepted. Defaults to `false`.
    ///
    /// Heroku also sends stronger tokens. Older checkers (kensa) send only this one.
    #[must_use]
    pub fn with_legacy_token(mut self, accepted: bool) -> Self {
        self.legacy_token = accepted;
        self
    }

    /// Sets whether only the SHA-256 `user_scoped_resource_token` is accepted. Defaults to `false`.
    ///
    /// If so, every identity is verified, and forms without this token are rejected.
    #[must_use]
    pub fn with_user_scoped_token_only(mut self, required: bool) -> Self {
        self.user_scoped_only = required;
        self
    }

    /// Sets the path of single sign-on inside the router. Defaults to `/resources/sso`.
    ///
    /// # Errors
    /// Returns an error if the path is invalid or used by another route.
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
    fn name(&self) -> Cow<'static, str> {
        "heroku".into()
    }

    fn slug(&self) -> &str {
        self.basic.slug()
    }
}

impl SupportsAsync for Heroku {}

impl FromManifest for Heroku {
    fn from_manifest(manifest: &Manifest) -> Result<Self, ManifestError> {
        reject_cloudcontrol(manifest)?;
        let heroku = Self::from_basic(BasicMarketplace::from_manifest(manifest)?);
        Ok(Self { config_vars: Some(manifest.api.config_vars.clone()), ..heroku })
    }
}

/// Returns an error for a manifest of cloudControl, which differs only in its paths.
fn reject_cloudcontrol(manifest: &Manifest) -> Result<(), ManifestError> {
    let endpoints = [("production", &manifest.api.production), ("test", &manifest.api.test)];
    for (name, endpoints) in endpoints.into_iter().filter_map(|(name, endpoints)| Some((name, endpoints.as_ref()?))) {
        if endpoints.base_url.trim_end_matches('/').ends_with("/cloudcontrol/resources") {
            return Err(ManifestError::of_another_marketplace(
                &format!("api.{name}.base_url"),
                "the path of cloudControl",
                "pass this manifest to Addon::<CloudControl>, and one whose path ends in /heroku/resources to Heroku",
            ));
        }
    }
    Ok(())
}

/// Invalid path passed to [`Heroku::with_sso_path`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError(String);

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "single sign-on cannot be mounted at {:?}: use a separate path such as /sso/login, of letters, digits and -_.~",
            self.0
        )
    }
}

impl std::error::Error for PathError {}

/// The text is the manifest. Only its password and salt are reloaded.
impl Reload for Heroku {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.basic.reload(text, now, overlap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_of_cloudcontrol_is_refused_with_a_sentence() {
        let manifest = |path: &str| {
            let urls = format!(r#"{{ "base_url": "https://lantern.example{path}/resources" }}"#);
            Manifest::parse(&format!(r#"{{ "id": "lantern", "api": {{ "password": "p", "production": {urls} }} }}"#))
        };
        let error = Heroku::from_manifest(&manifest("/cloudcontrol").unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the manifest's api.production.base_url has the path of cloudControl: pass this manifest to \
             Addon::<CloudControl>, and one whose path ends in /heroku/resources to Heroku"
        );
        for path in ["/heroku", "", "/addons"] {
            assert!(Heroku::from_manifest(&manifest(path).unwrap()).is_ok(), "{path}");
        }
    }
}
