//! Cases whose ids begin with the marketplace's name.

use super::contract::{BasicMarketplace, Clause};
use super::target::Target;
use crate::check::{Case, Check, CheckFuture};

/// A marketplace with checks of its own.
pub(crate) trait OwnCases: BasicMarketplace {
    /// Returns the checks that only this marketplace has.
    fn own_cases() -> Vec<Case<Target<Self>>>;
}

/// Returns a case of a clause of the contract: `case("auth.challenge", …)` is `digitalocean.auth.challenge`.
pub(super) fn case<M: BasicMarketplace>(
    id: &str,
    requirement: &'static str,
    clause: Clause,
    run: for<'a> fn(&'a Target<M>) -> CheckFuture<'a>,
) -> Case<Target<M>> {
    // the checks are made once for the life of the process
    let id = format!("{}.{id}", M::CONTRACT.marketplace).leak();
    let Clause { level, citation } = clause;
    Case { check: Check { id, requirement, citation, level, needs: &[], slow: false }, is_alone: false, run }
}
