//! The manifest that a run is based on.

use std::path::Path;

use maitre_core::Manifest;
use serde_json::Value;

use crate::error::SetupError;

/// Manifest, both parsed and as plain JSON for the lint.
pub(crate) struct ManifestInput {
    pub(crate) manifest: Manifest,
    pub(crate) json: Value,
}

impl ManifestInput {
    pub(crate) fn parse(text: &str) -> Result<Self, SetupError> {
        let manifest = Manifest::parse(text)?;
        let json = serde_json::from_str(text).unwrap_or_default();
        Ok(Self { manifest, json })
    }

    pub(crate) fn read(path: &Path) -> Result<Self, SetupError> {
        let manifest = Manifest::read(path)?;
        let json = std::fs::read_to_string(path).ok().and_then(|text| serde_json::from_str(&text).ok());
        Ok(Self { manifest, json: json.unwrap_or_default() })
    }

    pub(crate) fn password(&self) -> Result<String, SetupError> {
        Ok(self.manifest.password()?.expose().to_owned())
    }

    pub(crate) fn salt(&self) -> String {
        self.manifest.api.sso_salt.as_ref().map(|salt| salt.expose().to_owned()).unwrap_or_default()
    }
}
