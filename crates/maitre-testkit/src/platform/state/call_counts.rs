use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// Counters of the calls for one install or for all: see
/// [`Install::call_counts`](crate::platform::Install::call_counts) and
/// [`Platform::call_counts`](crate::platform::Platform::call_counts).
///
/// ```
/// use maitre_testkit::platform::Platform;
///
/// let platform = Platform::new("tally", "password", "client secret");
/// platform.install("basic").issue_grant();
/// assert_eq!(platform.call_counts().grants, 2);
/// assert_eq!(platform.call_counts().exchanges, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallCounts {
    /// Calls with a token or a grant of the add-on.
    pub calls: u64,
    /// Issued grants.
    pub grants: u64,
    /// Grants that expired before they were exchanged.
    pub lost_grants: u64,
    /// Grants exchanged for a token.
    pub exchanges: u64,
    /// Attempts to exchange a grant again.
    pub repeated_exchanges: u64,
    /// Refreshed access tokens.
    pub refreshes: u64,
    /// Calls with an expired access token.
    pub expired_tokens: u64,
    /// Changes of config vars.
    pub config_patches: u64,
    /// Restarts of the customer's app because of config vars and `actions/provision`.
    pub restarts: u64,
    /// Transitions to provisioned by `actions/provision`.
    pub provisioned: u64,
    /// Calls of `actions/provision` for a provisioned add-on.
    pub repeated_provisions: u64,
    /// Transitions to deprovisioned by `actions/deprovision`.
    pub deprovisioned: u64,
    /// Calls over the rate limit.
    pub rate_limited: u64,
    /// Calls after the add-on was deprovisioned.
    pub calls_after_deprovision: u64,
}

impl Sum for CallCounts {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |all, one| Self {
            calls: all.calls + one.calls,
            grants: all.grants + one.grants,
            lost_grants: all.lost_grants + one.lost_grants,
            exchanges: all.exchanges + one.exchanges,
            repeated_exchanges: all.repeated_exchanges + one.repeated_exchanges,
            refreshes: all.refreshes + one.refreshes,
            expired_tokens: all.expired_tokens + one.expired_tokens,
            config_patches: all.config_patches + one.config_patches,
            restarts: all.restarts + one.restarts,
            provisioned: all.provisioned + one.provisioned,
            repeated_provisions: all.repeated_provisions + one.repeated_provisions,
            deprovisioned: all.deprovisioned + one.deprovisioned,
            rate_limited: all.rate_limited + one.rate_limited,
            calls_after_deprovision: all.calls_after_deprovision + one.calls_after_deprovision,
        })
    }
}
