//! Errors of manifest files.

use std::fmt;

/// Error of a manifest file. It names keys and positions, never a value, as the file contains two secrets.
///
/// ```
/// use maitre_core::Manifest;
///
/// let error = Manifest::parse(r#"{ "id": "lantern", "api": { "password": 5 } }"#).unwrap_err();
/// assert_eq!(error.to_string(), "the manifest's api.password is a number: write a string");
/// ```
#[derive(Debug)]
pub struct ManifestError {
    pub(super) message: String,
    pub(super) cause: Option<std::io::Error>,
}

impl ManifestError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None }
    }

    /// Creates the error of a missing key.
    ///
    /// ```
    /// # use maitre_core::ManifestError;
    /// let error = ManifestError::missing("api.sso_salt", "the salt of single sign-on tokens");
    /// assert_eq!(error.to_string(), "the manifest lacks api.sso_salt: add the salt of single sign-on tokens");
    /// ```
    #[must_use]
    pub fn missing(path: &str, what: &str) -> Self {
        Self::new(format!("the manifest lacks {path}: add {what}"))
    }
}

impl From<crate::CredentialsError> for ManifestError {
    fn from(error: crate::CredentialsError) -> Self {
        Self::new(format!("the manifest's credentials cannot be used: {error}"))
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ManifestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}
