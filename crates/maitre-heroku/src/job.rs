//! Kinds of the ledger jobs that this crate enqueues and runs.

use std::{fmt, str::FromStr};

/// Kind of a job. The name is stored in the ledger, so it must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// Exchanges the grant of a provision for a token.
    Grant,
    /// Runs one step of a credential rotation.
    Rotation,
    /// Handles a webhook event.
    Event,
}

impl JobKind {
    const ALL: [Self; 3] = [Self::Grant, Self::Rotation, Self::Event];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => maitre_platform::GRANT_JOB,
            Self::Rotation => "rotation",
            Self::Event => "event",
        }
    }
}

impl FromStr for JobKind {
    type Err = UnknownJobKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        kind.ok_or_else(|| UnknownJobKind(name.to_owned()))
    }
}

/// Name of a job kind that this version of the crate does not know.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownJobKind(String);

impl fmt::Display for UnknownJobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown job kind `{}` for Heroku", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_parsed_from_their_names() {
        for kind in JobKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        let error = "Grant".parse::<JobKind>().unwrap_err();
        assert_eq!(error.to_string(), "unknown job kind `Grant` for Heroku");
    }
}
