use std::{error, fmt};

use maitre_core::{Failure, ResourceId};

use crate::api;

/// Error of a call to Heroku's API for a resource.
///
/// In a listener `?` converts it into [`Failure::unavailable`], like any other error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// This resource has no token: its grant has not been exchanged yet, or was lost, or the resource was removed.
    NoToken(ResourceId),
    /// Heroku answered with an error, or did not answer.
    Heroku(api::Error),
    /// Refreshing the token of this resource takes too long.
    RefreshTimeout(ResourceId),
    /// Heroku refused to mark this add-on as deprovisioned, because it has not processed the 202 reply to its deprovision
    /// request yet.
    NotYetDeprovisioning(ResourceId),
    /// The ledger cannot be read or written; contains the cause.
    Store(String),
    /// This call requires the add-on's password, see [`PlatformBuilder::password`](crate::PlatformBuilder::password).
    MissingPassword,
}

impl Error {
    /// Converts a failure of the ledger.
    pub(crate) fn store(failure: &Failure) -> Self {
        Self::Store(failure.cause().unwrap_or_else(|| format!("{:?}", failure.kind())))
    }

    /// Classifies the error for a ledger: retry later, resource gone, or park for an operator.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Heroku(error) if error.is_not_found() => Failure::gone(),
            Self::Heroku(error) if !error.is_transient() => Failure::refused(error.to_string()),
            other => Failure::unavailable(other),
        }
    }
}

impl From<api::Error> for Error {
    fn from(error: api::Error) -> Self {
        Self::Heroku(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoToken(resource) => {
                write!(f, "no token for {resource}: its grant has not been exchanged yet, or was lost")
            }
            Self::RefreshTimeout(resource) => write!(f, "timeout while refreshing the token of {resource}"),
            Self::NotYetDeprovisioning(resource) => {
                write!(f, "Heroku has not processed the 202 reply to the deprovision of {resource} yet")
            }
            Self::Heroku(error) => fmt::Display::fmt(error, f),
            Self::Store(cause) => write!(f, "cannot access the ledger: {cause}"),
            Self::MissingPassword => {
                f.write_str("the manifest's password is required: set it with PlatformBuilder::password")
            }
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Heroku(error) => error.source(),
            _ => None,
        }
    }
}
