use std::{error, fmt};

use maitre_core::{Failure, ResourceId};

use crate::api;

/// Why Heroku was not asked, or what it said.
///
/// In a listener `?` makes [`Failure::unavailable`] of it, as of every error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no token for this resource: its grant is not exchanged yet, or was lost, or the resource is removed.
    NoToken(ResourceId),
    /// Heroku's answer, or that there was none.
    Heroku(api::Error),
    /// The token of this resource is being refreshed, and that takes too long.
    RefreshTakesLong(ResourceId),
    /// Heroku will not have this add-on marked deprovisioned: as far as it knows it is in use, as it has not read yet that
    /// the removal was answered 202.
    TooEarly(ResourceId),
    /// The records cannot be read or written; the cause.
    Records(String),
    /// The add-on's password is needed for this, and [`Platform::password`](crate::Platform::password) was not called.
    NoPassword,
}

impl Error {
    /// The records' failure, as far as it can be told.
    pub(crate) fn records(failure: &Failure) -> Self {
        Self::Records(failure.cause().unwrap_or_else(|| format!("{:?}", failure.kind())))
    }

    /// What it means to a ledger: later again, not there any more, or that a person has to look.
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
                write!(f, "there is no token for {resource}: its grant is not exchanged yet, or was lost")
            }
            Self::RefreshTakesLong(resource) => write!(f, "the token of {resource} is being refreshed for too long"),
            Self::TooEarly(resource) => {
                write!(f, "Heroku does not know yet that the removal of {resource} takes its time")
            }
            Self::Heroku(error) => fmt::Display::fmt(error, f),
            Self::Records(cause) => write!(f, "the records: {cause}"),
            Self::NoPassword => f.write_str("this takes the manifest's password: give it to Platform::password"),
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
