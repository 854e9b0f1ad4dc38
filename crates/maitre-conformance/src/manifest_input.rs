//! The manifest that a run is based on.

use std::path::Path;

use maitre_core::{Manifest, ManifestError};
use serde_json::{Map, Value, json};

use crate::error::SetupError;
use crate::marketplace::Marketplace;

/// Manifest, both parsed and as text for the lint.
pub(crate) struct ManifestInput {
    pub(crate) manifest: Manifest,
    pub(crate) text: String,
}

impl ManifestInput {
    pub(crate) fn parse(marketplace: Marketplace, text: &str) -> Result<Self, SetupError> {
        Ok(Self { manifest: parse_manifest(marketplace, text)?, text: text.to_owned() })
    }

    pub(crate) fn read(marketplace: Marketplace, path: &Path) -> Result<Self, SetupError> {
        let manifest = read_manifest(marketplace, path)?;
        Ok(Self { manifest, text: std::fs::read_to_string(path).unwrap_or_default() })
    }

    pub(crate) fn password(&self) -> Result<String, SetupError> {
        Ok(self.manifest.password()?.expose().to_owned())
    }

    pub(crate) fn salt(&self) -> String {
        self.manifest.api.sso_salt.as_ref().map(|salt| salt.expose().to_owned()).unwrap_or_default()
    }
}

/// Reads a file with the credentials of an add-on, in the form of its marketplace.
///
/// # Errors
/// Returns an error if the file cannot be read, or as [`parse_manifest`] does.
pub fn read_manifest(marketplace: Marketplace, path: &Path) -> Result<Manifest, ManifestError> {
    if !has_own_form(marketplace) {
        return Manifest::read(path);
    }
    match std::fs::read_to_string(path) {
        Ok(text) => parse_manifest(marketplace, &text),
        Err(_) => Manifest::read(path), // its error names the file
    }
}

/// Parses the credentials of an add-on in the form of its marketplace: `app_slug`, `password` and `salt` for DigitalOcean,
/// Scalingo's manifest, and for the others a manifest like Heroku's.
///
/// # Errors
/// Returns an error if a key is missing or has the wrong type.
///
/// ```
/// use maitre_conformance::{Marketplace, parse_manifest};
///
/// let settings = r#"{ "app_slug": "tamarind", "password": "s3cr3t-example", "salt": "kelp-salt", "client_secret": "c" }"#;
/// assert_eq!(parse_manifest(Marketplace::DigitalOcean, settings)?.id, "tamarind");
/// let error = parse_manifest(Marketplace::Scalingo, "{}").unwrap_err();
/// assert_eq!(error.to_string(), "the manifest lacks username: add the user name that Scalingo sends");
/// # Ok::<(), maitre_core::ManifestError>(())
/// ```
pub fn parse_manifest(marketplace: Marketplace, text: &str) -> Result<Manifest, ManifestError> {
    let Ok(Value::Object(own)) = serde_json::from_str(text) else { return Manifest::parse(text) };
    let names = match marketplace {
        Marketplace::DigitalOcean => {
            [("app_slug", "the slug of the app"), ("password", "the password"), ("salt", "the salt")]
        }
        Marketplace::Scalingo => {
            [("username", "the user name that Scalingo sends"), ("password", "the password"), ("sso_salt", "the salt")]
        }
        _ => return Manifest::parse(text),
    };
    if let Some((name, meaning)) = names.into_iter().find(|(name, _)| !own.contains_key(*name)) {
        return Err(ManifestError::missing(name, meaning));
    }
    let [id, password, salt] = names.map(|(name, _)| own[name].clone());
    let mut api = Map::from_iter([("password".to_owned(), password), ("sso_salt".to_owned(), salt)]);
    let shared = ["config_vars", "test", "production"];
    api.extend(shared.into_iter().filter_map(|name| Some((name.to_owned(), own.get(name)?.clone()))));
    Manifest::parse(&json!({ "id": id, "api": api }).to_string())
}

fn has_own_form(marketplace: Marketplace) -> bool {
    matches!(marketplace, Marketplace::DigitalOcean | Marketplace::Scalingo)
}
