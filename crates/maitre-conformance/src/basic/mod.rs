//! Checks of the marketplaces with Basic credentials and a signed sign-on.
//!
//! They are alike: a [`Contract`] describes each of them, and the same checks read it. A marketplace adds the checks of its own
//! routes.

mod auth;
mod case;
mod clevercloud;
mod contract;
mod deprovision;
mod digitalocean;
mod forms;
mod idempotency;
mod malformed;
mod plan_change;
mod provision;
mod resource;
mod robustness;
mod scalingo;
mod sso;
mod target;

use std::sync::LazyLock;
use std::time::Duration;

use maitre_testkit::{CleverCloud, DigitalOcean, Scalingo};

pub(crate) use self::contract::BasicMarketplace;
pub(crate) use self::target::{Target, TargetOptions};

use crate::check::Case;

/// Time after which a request counts as failed. None of these marketplaces documents it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(25);

/// All checks of DigitalOcean, in the order in which they are listed.
pub(crate) static DIGITALOCEAN: LazyLock<Vec<Case<Target<DigitalOcean>>>> = LazyLock::new(all);

/// All checks of Clever Cloud, in the order in which they are listed.
pub(crate) static CLEVERCLOUD: LazyLock<Vec<Case<Target<CleverCloud>>>> = LazyLock::new(all);

/// All checks of Scalingo, in the order in which they are listed.
pub(crate) static SCALINGO: LazyLock<Vec<Case<Target<Scalingo>>>> = LazyLock::new(all);

/// Returns the checks of a marketplace: the common ones and its own, by group.
fn all<M: case::OwnCases>() -> Vec<Case<Target<M>>> {
    let mut cases = [
        auth::cases(),
        provision::cases(),
        idempotency::cases(),
        plan_change::cases(),
        deprovision::cases(),
        sso::tokens::cases(),
        sso::window::cases(),
        sso::session::cases(),
        malformed::cases(),
        robustness::cases(),
        M::own_cases(),
    ]
    .concat();
    // a stable sort keeps the order within a group
    let groups: Vec<_> = cases.iter().map(|case| case.check.group()).collect();
    cases.sort_by_key(|case| groups.iter().position(|group| *group == case.check.group()));
    cases
}
