use std::{error, fmt};

/// Error that prevents a check run or a sandbox from starting. Its message tells the user what to do.
///
/// ```
/// use maitre_conformance::Suite;
///
/// let error = Suite::builder("{}").build().unwrap_err();
/// assert_eq!(error.to_string(), "the manifest lacks id: add the add-on's slug");
/// ```
#[derive(Debug)]
pub struct SetupError {
    message: String,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl SetupError {
    /// Creates an error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// Creates an error with this message and its cause.
    pub fn with_source(message: impl Into<String>, source: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self { message: message.into(), source: Some(source.into()) }
    }

    /// Returns a JUnit report with this error, for continuous integration.
    ///
    /// ```
    /// let error = maitre_conformance::SetupError::new("cannot connect to http://localhost:8300");
    /// assert!(error.to_junit().contains("<error message=\"cannot connect to http://localhost:8300\""));
    /// ```
    #[must_use]
    pub fn to_junit(&self) -> String {
        crate::report::junit_error("setup", &self.message)
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for SetupError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

impl From<maitre_core::ManifestError> for SetupError {
    fn from(error: maitre_core::ManifestError) -> Self {
        let source = error::Error::source(&error).map(|cause| cause.to_string().into());
        Self { message: error.to_string(), source }
    }
}
