use std::fmt;

use serde::{Deserialize, Serialize};

/// State of an install (Heroku's Platform API reference, add-on, `state`).
///
/// ```
/// use maitre_testkit::platform::{Platform, State};
///
/// let install = Platform::new("tally", "password", "client secret").install("basic");
/// assert_eq!(install.state(), State::Provisioning);
/// assert_eq!(install.state().to_string(), "provisioning");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum State {
    /// The provision is not complete.
    Provisioning,
    /// The add-on is in use.
    Provisioned,
    /// The vendor accepted a `DELETE` with 202 and has not completed it.
    Deprovisioning,
    /// The add-on has ended.
    Deprovisioned,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Provisioning => "provisioning",
            Self::Provisioned => "provisioned",
            Self::Deprovisioning => "deprovisioning",
            Self::Deprovisioned => "deprovisioned",
        })
    }
}
