//! Faults on purpose: in the marketplace's calls to the add-on (`Fault`), and in the add-on's calls to its API (`inbound`, faults
//! of the testkit's platform).

mod chaos;
pub(crate) mod inbound;
mod schedule;

use std::{fmt, str::FromStr};

pub use self::chaos::Chaos;
pub(crate) use self::schedule::FaultSchedule;
use crate::{ParseError, entry::Kind};

/// Fault in the marketplace's calls to the add-on, as networks and clients cause it in production.
///
/// ```
/// use maitre_sandbox::Fault;
///
/// assert_eq!("drop-reply".parse(), Ok(Fault::DropReply));
/// assert_eq!(Fault::ALL.len(), 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Sends the call twice concurrently.
    Duplicate,
    /// Sends the call three seconds late.
    Delay,
    /// Sends the call and hangs up before the response. The marketplace then retries.
    DropReply,
    /// Holds the call back until another call has overtaken it, for at most 30 seconds.
    Reorder,
    /// First sends the call with a wrong password.
    WrongPassword,
    /// Uses an expired token: signs a sign-on form for eleven minutes ago; before any other call, revokes the add-on's access
    /// tokens.
    StaleToken,
    /// Hangs up in the middle of the request. The marketplace then retries.
    Cut,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 7] = [
        Self::Duplicate,
        Self::Delay,
        Self::DropReply,
        Self::Reorder,
        Self::WrongPassword,
        Self::StaleToken,
        Self::Cut,
    ];

    /// Returns the name in forms and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Delay => "delay",
            Self::DropReply => "drop-reply",
            Self::Reorder => "reorder",
            Self::WrongPassword => "wrong-password",
            Self::StaleToken => "stale-token",
            Self::Cut => "cut",
        }
    }

    /// Returns the predicate for a scheduled fault: "the next call …".
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Duplicate => "is sent twice",
            Self::Delay => "is sent 3 s late",
            Self::DropReply => "loses its response",
            Self::Reorder => "is overtaken",
            Self::WrongPassword => "follows one with a wrong password",
            Self::StaleToken => "has a stale token",
            Self::Cut => "is cut off halfway",
        }
    }

    /// Returns the description of a call that met the fault, for the timeline.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Duplicate => "sent twice concurrently",
            Self::Delay => "sent 3 s late",
            Self::DropReply => "the marketplace hung up before the response",
            Self::Reorder => "held back until another call overtook it",
            Self::WrongPassword => "sent with a wrong password",
            Self::StaleToken => "the add-on's access tokens were revoked first",
            Self::Cut => "the marketplace hung up in the middle of the request",
        }
    }

    /// Whether calls of this kind can meet the fault.
    pub(crate) fn applies_to(self, kind: Kind) -> bool {
        match kind {
            // the browser sends the form, so only its content can be changed
            Kind::SignOn => self == Self::StaleToken,
            // the request has no body to cut
            Kind::Deprovision | Kind::Poll => self != Self::Cut,
            _ => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Fault {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        let names = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|fault| fault.name() == name);
        found.ok_or_else(|| ParseError::new(format!("unknown fault {name:?}: choose one of {}", names())))
    }
}
