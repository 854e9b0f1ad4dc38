//! The add-on manifest: the file that a vendor registers at Heroku (and registered at cloudControl).
//!
//! It is read with tolerance: unknown keys are kept, older forms are understood. The rules of the marketplace are checked by
//! `maitre-conformance`.
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

mod read;
pub(crate) mod url;

pub use read::ManifestError;
pub use url::is_loopback;

use std::fmt;
use std::path::Path;

use crate::secret::Secret;
use serde_json::{Map, Value};

/// A manifest as it was written, without judgement.
#[derive(Clone)]
#[non_exhaustive]
pub struct Manifest {
    /// The add-on's slug, and the user of its Basic credentials.
    pub id: String,
    /// The display name.
    pub name: Option<String>,
    /// What the marketplace's servers use.
    pub api: Api,
    /// Every key that is not documented, as it came.
    pub extra: Map<String, Value>,
}

/// The manifest's `api` part.
#[derive(Clone)]
#[non_exhaustive]
pub struct Api {
    /// `"3"`; missing or `"1"` is the legacy contract.
    pub version: Option<String>,
    /// The password of the Basic credentials.
    pub password: Option<Secret>,
    /// The salt of single sign-on tokens.
    pub sso_salt: Option<Secret>,
    /// The config vars that a reply may name.
    pub config_vars: Vec<String>,
    /// What their names begin with, if not with the slug in upper case.
    pub config_vars_prefix: Option<String>,
    /// Where the add-on is offered.
    pub regions: Vec<String>,
    /// What the add-on wants of the marketplace: `log_input`, `syslog_drain`, `many_per_app`, `attachable`.
    pub requires: Vec<String>,
    /// Where the marketplace calls.
    pub production: Option<Endpoints>,
    /// Where tools on the vendor's own machine call.
    pub test: Option<Endpoints>,
    /// Every key that is not documented, as it came.
    pub extra: Map<String, Value>,
}

/// The two addresses of an add-on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoints {
    /// Provision is a `POST` here; ends in `/heroku/resources` at Heroku.
    pub base_url: String,
    /// Single sign-on is a form `POST` here; `None` in the legacy form, where it is a `GET` on the resource.
    pub sso_url: Option<String>,
    /// Whether it was written as one plain string, the legacy form.
    pub legacy: bool,
}

impl Manifest {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ManifestError`] with the path, and line and column or the JSON path of what is wrong. It never holds a value.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        read::file(path.as_ref())
    }

    /// Reads the text of a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] as in [`Manifest::read`].
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        read::text(text)
    }

    /// The add-on's password.
    ///
    /// # Errors
    /// [`ManifestError`] that names the key when it is missing.
    pub fn password(&self) -> Result<&Secret, ManifestError> {
        self.api.password.as_ref().ok_or_else(|| ManifestError::missing("api.password", "the Basic password"))
    }

    /// The salt of its single sign-on tokens.
    ///
    /// # Errors
    /// [`ManifestError`] that names the key when it is missing.
    pub fn sso_salt(&self) -> Result<&Secret, ManifestError> {
        self.api
            .sso_salt
            .as_ref()
            .ok_or_else(|| ManifestError::missing("api.sso_salt", "the salt of single sign-on tokens"))
    }

    /// What the names of its config vars begin with, without the underscore that follows.
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

    /// Whether one of its addresses is plain `http` on this machine, so that cookies have to do without `Secure`
    /// there.
    ///
    /// ```
    /// # use maitre_core::Manifest;
    /// let manifest = Manifest::parse(r#"{ "id": "lantern", "api": { "test": "http://localhost:5000" } }"#)?;
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

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("api", &self.api)
            .finish_non_exhaustive()
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
