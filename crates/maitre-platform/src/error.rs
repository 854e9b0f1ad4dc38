use std::{error, fmt};

use maitre_core::{Failure, ResourceId};
use maitre_http::CallError;

/// Error of a call to a marketplace's API for a resource.
///
/// In a listener `?` converts it into [`Failure::unavailable`], like any other error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error<E = CallError> {
    /// This resource has no token: its grant has not been exchanged yet, or was lost, or the resource was removed.
    NoToken(ResourceId),
    /// The marketplace answered with an error, or did not answer.
    Call(E),
    /// Refreshing the token of this resource takes too long.
    RefreshTimeout(ResourceId),
    /// The marketplace refused to mark this resource as deprovisioned, because it has not processed the 202 reply to its
    /// deprovision request yet.
    NotYetDeprovisioning(ResourceId),
    /// It is not known by which id the marketplace's API identifies this resource.
    Unidentified(ResourceId),
    /// The marketplace's API identifies this resource by an id that another of the vendor's resources has as well.
    Ambiguous(ResourceId),
    /// The ledger cannot be read or written; contains the cause.
    Store(String),
    /// This call requires the add-on's password, which is set on the platform's builder.
    MissingPassword,
}

impl<E> Error<E> {
    /// Converts a failure of the ledger.
    #[must_use]
    pub fn store(failure: &Failure) -> Self {
        Self::Store(failure.cause().unwrap_or_else(|| format!("{:?}", failure.kind())))
    }
}

impl<E: AsRef<CallError> + error::Error + Send + Sync + 'static> Error<E> {
    /// Classifies the error for a ledger: retry later, resource gone, or park for an operator.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Call(error) if error.as_ref().is_not_found() => Failure::gone(),
            Self::Call(error) if !error.as_ref().is_transient() => Failure::refused(error.to_string()),
            Self::Ambiguous(_) => Failure::refused(self.to_string()),
            other => Failure::unavailable(other),
        }
    }
}

impl<E: AsRef<CallError>> From<E> for Error<E> {
    fn from(error: E) -> Self {
        Self::Call(error)
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoToken(resource) => {
                write!(f, "no token for {resource}: its grant has not been exchanged yet, or was lost")
            }
            Self::RefreshTimeout(resource) => write!(f, "timeout while refreshing the token of {resource}"),
            Self::NotYetDeprovisioning(resource) => {
                write!(f, "the marketplace has not processed the 202 reply to the deprovision of {resource} yet")
            }
            Self::Unidentified(resource) => write!(f, "the marketplace's id of {resource} is not known"),
            Self::Ambiguous(resource) => {
                write!(f, "another of the vendor's resources has the same id at the marketplace as {resource}")
            }
            Self::Call(error) => fmt::Display::fmt(error, f),
            Self::Store(cause) => write!(f, "cannot access the ledger: {cause}"),
            Self::MissingPassword => {
                f.write_str("the manifest's password is required: set it with PlatformBuilder::password")
            }
        }
    }
}

impl<E: error::Error> error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Call(error) => error.source(),
            _ => None,
        }
    }
}
