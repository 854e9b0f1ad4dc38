use std::{error, fmt};

/// Why there is no sandbox. The sentence says what to do.
///
/// ```
/// use maitre_sandbox::Sandbox;
///
/// let error = Sandbox::of("{}").unwrap_err();
/// assert_eq!(error.to_string(), "the manifest lacks id: add the add-on's slug");
/// ```
#[derive(Debug)]
pub struct CannotOpen {
    sentence: String,
    cause: Option<Box<dyn error::Error + Send + Sync>>,
}

impl CannotOpen {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), cause: None }
    }

    pub(crate) fn because(sentence: impl Into<String>, cause: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self { sentence: sentence.into(), cause: Some(cause.into()) }
    }
}

impl fmt::Display for CannotOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl error::Error for CannotOpen {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as _)
    }
}

impl From<maitre_core::ManifestError> for CannotOpen {
    fn from(error: maitre_core::ManifestError) -> Self {
        Self { sentence: error.to_string(), cause: error::Error::source(&error).map(|cause| cause.to_string().into()) }
    }
}

impl From<maitre_conformance::CannotRun> for CannotOpen {
    fn from(error: maitre_conformance::CannotRun) -> Self {
        Self::new(error.to_string())
    }
}
