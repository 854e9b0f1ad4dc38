//! Errors of manifest files.

use std::fmt;

use crate::CredentialsError;

/// Kind of a [`ManifestError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManifestErrorKind {
    /// The file cannot be read, or is not a JSON object.
    File,
    /// A value has the wrong type.
    Type,
    /// A key is missing.
    Missing,
    /// The id, the password or the salt cannot be used.
    Credentials,
    /// The manifest is for another marketplace.
    Marketplace,
}

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
    kind: ManifestErrorKind,
    path: String,
    detail: String,
    message: String,
    cause: Option<std::io::Error>,
}

impl ManifestError {
    /// Creates the error of a whole file, from a sentence.
    pub(super) fn file(message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind: ManifestErrorKind::File, path: String::new(), detail: capitalized(&message), message, cause: None }
    }

    /// Creates the error of a manifest that is for another marketplace.
    ///
    /// ```
    /// # use maitre_core::ManifestError;
    /// let error = ManifestError::of_another_marketplace("api.production.base_url", "a path of Bazaar", "pass it to Addon::<Bazaar>");
    /// assert_eq!(error.to_string(), "the manifest's api.production.base_url has a path of Bazaar: pass it to Addon::<Bazaar>");
    /// ```
    #[must_use]
    pub fn of_another_marketplace(path: &str, has: &str, remedy: &str) -> Self {
        Self {
            kind: ManifestErrorKind::Marketplace,
            path: path.to_owned(),
            detail: format!("It has {has}: {remedy}"),
            message: format!("the manifest's {path} has {has}: {remedy}"),
            cause: None,
        }
    }

    pub(super) fn unreadable(message: String, cause: std::io::Error) -> Self {
        Self { cause: Some(cause), ..Self::file(message) }
    }

    /// Creates the error of a value of the wrong type.
    pub(super) fn wrong_type(path: &str, found: &str, write: &str) -> Self {
        Self {
            kind: ManifestErrorKind::Type,
            path: path.to_owned(),
            detail: format!("It is {found}: write {write}"),
            message: format!("the manifest's {path} is {found}: write {write}"),
            cause: None,
        }
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
        Self {
            kind: ManifestErrorKind::Missing,
            path: path.to_owned(),
            detail: format!("Missing: add {what}"),
            message: format!("the manifest lacks {path}: add {what}"),
            cause: None,
        }
    }

    /// Returns the path of the key, such as `api.config_vars[1]`. Empty if the error concerns the whole file.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the problem and its remedy, without the path and without a full stop.
    ///
    /// ```
    /// # use maitre_core::Manifest;
    /// let error = Manifest::parse(r#"{ "id": "lantern", "api": { "password": 5 } }"#).unwrap_err();
    /// assert_eq!((error.path(), error.detail()), ("api.password", "It is a number: write a string"));
    /// ```
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the kind of the problem.
    #[must_use]
    pub fn kind(&self) -> ManifestErrorKind {
        self.kind
    }

    /// Names the file in the message.
    pub(super) fn in_file(self, path: &std::path::Path) -> Self {
        Self { message: format!("{} ({})", self.message, path.display()), ..self }
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

impl From<CredentialsError> for ManifestError {
    fn from(error: CredentialsError) -> Self {
        let path = match &error {
            CredentialsError::Empty("password") | CredentialsError::NotSha256 => "api.password",
            CredentialsError::Empty("salt") => "api.sso_salt",
            _ => "id",
        };
        let message = format!("the manifest's credentials cannot be used: {error}");
        Self {
            kind: ManifestErrorKind::Credentials,
            path: path.to_owned(),
            detail: capitalized(&error.to_string()),
            message,
            cause: None,
        }
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
