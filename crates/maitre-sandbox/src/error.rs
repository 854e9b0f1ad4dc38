use std::{error, fmt};

/// Error of opening a sandbox. The message says what to change.
///
/// ```
/// use maitre_sandbox::Sandbox;
///
/// let error = Sandbox::builder("{}").unwrap_err();
/// assert_eq!(error.to_string(), "the manifest lacks id: add the add-on's slug");
/// ```
#[derive(Debug)]
pub struct OpenError {
    message: String,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl OpenError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    pub(crate) fn with_source(
        message: impl Into<String>,
        source: impl Into<Box<dyn error::Error + Send + Sync>>,
    ) -> Self {
        Self { message: message.into(), source: Some(source.into()) }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for OpenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

impl From<maitre_core::ManifestError> for OpenError {
    fn from(error: maitre_core::ManifestError) -> Self {
        Self {
            message: error.to_string(),
            source: error::Error::source(&error).map(|source| source.to_string().into()),
        }
    }
}

impl From<maitre_conformance::CannotRun> for OpenError {
    fn from(error: maitre_conformance::CannotRun) -> Self {
        Self::new(error.to_string())
    }
}

/// Error of parsing a plan, a fault, a chaos rate or a recording. The message says what is wrong with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError(String);

impl ParseError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for ParseError {}
