use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an add-on is in its life (Heroku's Platform API reference, add-on, `state`).
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
    /// Asked for, and not finished.
    Provisioning,
    /// In use.
    Provisioned,
    /// The vendor answered a `DELETE` with 202, and has not finished.
    Deprovisioning,
    /// Gone for ever.
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
