//! Errors of a catalog, and of requests that do not agree with it.

use std::fmt;
use std::io;
use std::path::Path;

use super::schema::SchemaProblem;

/// Error of a catalog that is being built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogError {
    path: String,
    detail: String,
}

impl CatalogError {
    pub(super) fn new(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { path: path.into(), detail: detail.into() }
    }

    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::new("", format!("the catalog {} cannot be read: {error}", path.display()))
    }

    /// Creates the error of a file that is not in the JSON form.
    pub(super) fn from_json(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let path = error.path().to_string();
        let path = if matches!(path.as_str(), "." | "?") { String::new() } else { path };
        Self::new(path, error.inner().to_string())
    }

    /// Returns the path of the problem, such as `services[0].plans[1].id`; empty if it is in no field.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the problem, without the path.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.detail),
            path => write!(f, "the catalog's {path}: {}", self.detail),
        }
    }
}

impl std::error::Error for CatalogError {}

/// Part of a request that does not agree with the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// The service is not in the catalog.
    Service,
    /// The service has no such plan.
    Plan,
    /// A parameter does not have the form that the plan's schema demands.
    Parameter,
}

/// Error of a request that does not agree with the catalog. Quotes no value of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogRejection {
    kind: RejectionKind,
    path: String,
    detail: String,
}

impl CatalogRejection {
    pub(super) fn service() -> Self {
        let detail = "the catalog has no such service".to_owned();
        Self { kind: RejectionKind::Service, path: String::new(), detail }
    }

    pub(super) fn plan() -> Self {
        let detail = "the service has no such plan".to_owned();
        Self { kind: RejectionKind::Plan, path: String::new(), detail }
    }

    pub(super) fn parameter(problem: SchemaProblem) -> Self {
        Self { kind: RejectionKind::Parameter, path: problem.path, detail: problem.detail }
    }

    /// Returns the part of the request.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// Returns the path of the parameter within the parameters, such as `zones[1]`; empty for the parameters as a whole,
    /// for a service and for a plan.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the problem, without the path.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Display for CatalogRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, path, detail } = self;
        match kind {
            RejectionKind::Service | RejectionKind::Plan => f.write_str(detail),
            RejectionKind::Parameter if path.is_empty() => write!(f, "parameters: {detail}"),
            RejectionKind::Parameter => write!(f, "parameters.{path}: {detail}"),
        }
    }
}

impl std::error::Error for CatalogRejection {}
