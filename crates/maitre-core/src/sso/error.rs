//! Reasons to reject a token.

use std::fmt;

/// Reason why a token was rejected, for the log. Never shown to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// A field that the token needs is missing, empty or duplicate.
    Incomplete,
    /// The timestamp is not a Unix time.
    Timestamp,
    /// The token is too old.
    TooOld,
    /// The token is too far in the future.
    TooFarAhead,
    /// The token does not match any active salt.
    Wrong,
    /// The kind of token is not accepted by the settings.
    NotAccepted,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incomplete => "missing, empty or duplicate field",
            Self::Timestamp => "timestamp is not a Unix time",
            Self::TooOld => "token is too old",
            Self::TooFarAhead => "token is too far in the future",
            Self::Wrong => "token does not match any active salt",
            Self::NotAccepted => "the settings do not accept this kind of token",
        })
    }
}

impl std::error::Error for TokenError {}
