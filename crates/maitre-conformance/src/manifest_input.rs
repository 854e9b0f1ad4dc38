//! The manifest that a run is based on.

use std::path::Path;

use maitre_core::Manifest;

use crate::error::SetupError;

/// Manifest, both parsed and as text for the lint.
pub(crate) struct ManifestInput {
    pub(crate) manifest: Manifest,
    pub(crate) text: String,
}

impl ManifestInput {
    pub(crate) fn parse(text: &str) -> Result<Self, SetupError> {
        Ok(Self { manifest: Manifest::parse(text)?, text: text.to_owned() })
    }

    pub(crate) fn read(path: &Path) -> Result<Self, SetupError> {
        let manifest = Manifest::read(path)?;
        Ok(Self { manifest, text: std::fs::read_to_string(path).unwrap_or_default() })
    }

    pub(crate) fn password(&self) -> Result<String, SetupError> {
        Ok(self.manifest.password()?.expose().to_owned())
    }

    pub(crate) fn salt(&self) -> String {
        self.manifest.api.sso_salt.as_ref().map(|salt| salt.expose().to_owned()).unwrap_or_default()
    }
}
