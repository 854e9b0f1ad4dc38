//! The add-on manifest: the file that a vendor registers at Heroku (and registered at cloudControl).
//!
//! Parsing is lenient: unknown keys are kept, and older forms are accepted. `maitre-conformance` checks the rules of the
//! marketplace.
//!
//! ```
//! use maitre_core::Manifest;
//!
//! let manifest = Manifest::parse(r#"{ "id": "lantern", "api": {
//!     "password": "s3cr3t-example", "sso_salt": "0f1e2d3c", "config_vars": ["LANTERN_URL"], "regions": ["us"],
//!     "production": "https://api.lantern.example" } }"#)?;
//! assert_eq!(manifest.id, "lantern");
//! assert_eq!(manifest.api.production.unwrap().base_url, "https://api.lantern.example/heroku/resources");
//! # Ok::<(), maitre_core::manifest::ManifestError>(())
//! ```

mod error;
mod read;
mod syntax;
pub(crate) mod url;

pub use error::{ManifestError, ManifestErrorKind};
pub use url::is_loopback;

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use crate::credentials::{Credentials, Salt};
use crate::mask::mask_urls;
use crate::password::Password;
use crate::reload::{Reload, ReloadError};
use crate::secret::Secret;
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// A parsed manifest, not validated.
#[derive(Clone)]
#[non_exhaustive]
pub struct Manifest {
    /// Slug of the add-on, and the Basic user.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// Settings of the API.
    pub api: Api,
    /// All undocumented keys, unchanged.
    pub extra: Map<String, Value>,
}

/// The `api` object of a manifest.
#[derive(Clone)]
#[non_exhaustive]
pub struct Api {
    /// `"3"`; missing or `"1"` is the legacy contract.
    pub version: Option<String>,
    /// Basic password.
    pub password: Option<Secret>,
    /// Salt of single sign-on tokens.
    pub sso_salt: Option<Secret>,
    /// Config vars that a reply may set.
    pub config_vars: Vec<String>,
    /// Prefix of the names of config vars. Defaults to the slug in upper case.
    pub config_vars_prefix: Option<String>,
    /// Regions where the add-on is offered.
    pub regions: Vec<String>,
    /// Features that the add-on needs: `log_input`, `syslog_drain`, `many_per_app`, `attachable`.
    pub requires: Vec<String>,
    /// Endpoints for the marketplace.
    pub production: Option<Endpoints>,
    /// Endpoints for tools on the vendor's machine.
    pub test: Option<Endpoints>,
    /// All undocumented keys, unchanged.
    pub extra: Map<String, Value>,
}

/// The two URLs of an add-on.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoints {
    /// URL of the resources, where a provision is a `POST`. Ends in `/heroku/resources` at Heroku.
    pub base_url: String,
    /// URL of single sign-on, a form `POST`. `None` in the legacy form, where it is a `GET` on the resource.
    pub sso_url: Option<String>,
    /// Whether the manifest has the legacy form, a single string.
    pub legacy: bool,
}

impl Manifest {
    /// Reads a manifest file.
    ///
    /// # Errors
    /// Returns an error with the path and the position of the problem. It never contains a value.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        read::file(path.as_ref())
    }

    /// Parses a manifest.
    ///
    /// # Errors
    /// Returns an error with the position of the problem. It never contains a value.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        read::text(text)
    }

    /// Returns everything that keeps an add-on from being served with this manifest: the errors of [`parse`](Self::parse),
    /// and those of [`credentials`](Self::credentials).
    ///
    /// ```
    /// # use maitre_core::Manifest;
    /// let problems = Manifest::problems(r#"{ "id": "lantern", "name": 5, "api": {} }"#);
    /// let paths: Vec<_> = problems.iter().map(|problem| problem.path()).collect();
    /// assert_eq!(paths, ["name", "api.password"]);
    /// ```
    #[must_use]
    pub fn problems(text: &str) -> Vec<ManifestError> {
        let (manifest, mut errors) = read::all(text);
        // without the keys there are no credentials either
        if errors.iter().all(|error| !matches!(error.path(), "" | "api")) {
            let password = manifest.api.password.is_none().then(|| manifest.password().err()).flatten();
            for error in password.into_iter().chain(manifest.credentials().err()) {
                if errors.iter().all(|known| known.path() != error.path()) {
                    errors.push(error);
                }
            }
        }
        errors
    }

    /// Returns the Basic credentials and the salt. An add-on without single sign-on needs no salt. In a deployed manifest the
    /// password may be a hash; see [`Password::from_config`].
    ///
    /// # Errors
    /// Returns an error that names the key if the password or a required salt is missing, or if one is empty.
    pub fn credentials(&self) -> Result<Credentials, ManifestError> {
        let password = Password::from_config(self.password()?.expose())?;
        let credentials = Credentials::with_passwords(&self.id, [password])?;
        if self.api.sso_salt.is_none() && !self.has_single_sign_on() {
            return Ok(credentials);
        }
        Ok(credentials.with_salt(Salt::new(self.sso_salt()?.expose())?))
    }

    /// Returns whether the manifest has a URL for single sign-on. The legacy form always has one.
    #[must_use]
    pub fn has_single_sign_on(&self) -> bool {
        let endpoints = [&self.api.production, &self.api.test];
        endpoints.into_iter().flatten().any(|endpoints| endpoints.legacy || endpoints.sso_url.is_some())
    }

    /// Returns the Basic password.
    ///
    /// # Errors
    /// Returns an error that names the key if it is missing.
    pub fn password(&self) -> Result<&Secret, ManifestError> {
        self.api.password.as_ref().ok_or_else(|| ManifestError::missing("api.password", "the Basic password"))
    }

    /// Returns the salt of single sign-on tokens.
    ///
    /// # Errors
    /// Returns an error that names the key if it is missing.
    pub fn sso_salt(&self) -> Result<&Secret, ManifestError> {
        self.api
            .sso_salt
            .as_ref()
            .ok_or_else(|| ManifestError::missing("api.sso_salt", "the salt of single sign-on tokens"))
    }

    /// Returns the prefix of the names of config vars, without the underscore that follows.
    ///
    /// ```
    /// # use maitre_core::Manifest;
    /// let manifest = Manifest::parse(r#"{ "id": "fast-db", "api": {} }"#)?;
    /// assert_eq!(manifest.config_vars_prefix(), "FAST_DB");
    /// # Ok::<(), maitre_core::ManifestError>(())
    /// ```
    #[must_use]
    pub fn config_vars_prefix(&self) -> String {
        self.api.config_vars_prefix.clone().unwrap_or_else(|| self.id.to_uppercase().replace('-', "_"))
    }

    /// Returns whether one of the URLs is `http` on this machine, where cookies cannot be `Secure`.
    ///
    /// ```
    /// # use maitre_core::Manifest;
    /// let manifest = Manifest::parse(r#"{ "id": "lantern", "api": { "test": "http://localhost:8300" } }"#)?;
    /// assert!(manifest.is_served_on_loopback());
    /// # Ok::<(), maitre_core::ManifestError>(())
    /// ```
    #[must_use]
    pub fn is_served_on_loopback(&self) -> bool {
        let endpoints = [&self.api.production, &self.api.test];
        endpoints.into_iter().flatten().any(|endpoints| {
            let address = endpoints.sso_url.as_ref().unwrap_or(&endpoints.base_url);
            url::split(address).is_some_and(|parts| parts.is_loopback_http())
        })
    }
}

/// The text is a manifest of the same add-on.
impl Reload for Credentials {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        let manifest = Manifest::parse(text).map_err(ReloadError::new)?;
        let credentials = manifest.credentials().map_err(ReloadError::new)?;
        self.replace(&credentials, now, overlap).map_err(ReloadError::new)
    }
}

impl FromStr for Manifest {
    type Err = ManifestError;

    fn from_str(text: &str) -> Result<Self, ManifestError> {
        Self::parse(text)
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints")
            .field("base_url", &mask_urls(&self.base_url))
            .field("sso_url", &self.sso_url.as_deref().map(mask_urls))
            .field("legacy", &self.legacy)
            .finish()
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("version", &self.version)
            .field("config_vars", &self.config_vars)
            .field("regions", &self.regions)
            .field("requires", &self.requires)
            .field("production", &self.production)
            .field("test", &self.test)
            .finish_non_exhaustive()
    }
}
