//! State rules: one table, as pure functions of the event and the resource's state.
//!
//! | event | none | provisioning | provisioned | changing plan | deprovisioning | deprovisioned | refused | parked |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | provision, same request | run | join | replay | replay | gone | gone | replay | run |
//! | provision, different request | run | conflict | conflict | conflict | gone | gone | conflict | run |
//! | plan change | unknown | enqueue | run; same plan: unchanged | enqueue; same plan: join | gone | gone | unknown | unavailable |
//! | deprovision | unknown, tombstone | enqueue | run | enqueue | join | gone | unchanged | run |
//! | single sign-on | unknown | unknown | run | run | unknown | unknown | unknown | unknown |

use std::fmt;
use std::str::FromStr;

use maitre_core::FailureKind;

use super::operation::ParseNameError;

/// State of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// A provision was requested and has no final reply yet.
    Provisioning,
    /// The resource exists.
    Provisioned,
    /// The resource exists and a plan change is open.
    ChangingPlan,
    /// A deprovision was requested; nothing can stop it.
    Deprovisioning,
    /// The resource was deprovisioned. Its key is never provisioned again.
    Deprovisioned,
    /// The listener refused the provision.
    Refused,
    /// The provision failed after the last attempt: an operator has to look at it.
    Parked,
}

const NAMES: [(State, &str); 7] = [
    (State::Provisioning, "provisioning"),
    (State::Provisioned, "provisioned"),
    (State::ChangingPlan, "changing_plan"),
    (State::Deprovisioning, "deprovisioning"),
    (State::Deprovisioned, "deprovisioned"),
    (State::Refused, "refused"),
    (State::Parked, "parked"),
];

impl State {
    /// Returns the name in the database.
    ///
    /// ```
    /// assert_eq!(maitre_ledger::State::ChangingPlan.as_str(), "changing_plan");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// Whether the resource is usable: users can sign in and its plan can be changed.
    pub(crate) fn is_live(self) -> bool {
        matches!(self, Self::Provisioned | Self::ChangingPlan)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for State {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, ParseNameError> {
        let state = NAMES.iter().find(|(_, name)| *name == text).map(|(state, _)| *state);
        state.ok_or_else(|| ParseNameError(text.to_owned()))
    }
}

/// Decision about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Record the operation and call the listener.
    Run,
    /// Record the operation; it runs after the open ones.
    Enqueue,
    /// Wait for the open operation that does the same.
    Join,
    /// Return the recorded reply.
    Replay,
    /// Succeed without a call: nothing changes.
    Unchanged,
    /// Fail without a call.
    Fail(FailureKind),
}

pub(crate) fn provision(state: Option<State>, same_request: bool) -> Decision {
    match state {
        None | Some(State::Parked) => Decision::Run,
        Some(State::Deprovisioning | State::Deprovisioned) => Decision::Fail(FailureKind::Gone),
        Some(_) if !same_request => Decision::Fail(FailureKind::Conflict),
        Some(State::Provisioning) => Decision::Join,
        Some(State::Provisioned | State::ChangingPlan | State::Refused) => Decision::Replay,
    }
}

/// `same_plan`: whether the requested plan is the current one or, during a plan change, the next one.
pub(crate) fn plan_change(state: Option<State>, same_plan: bool) -> Decision {
    match state {
        None | Some(State::Refused) => Decision::Fail(FailureKind::Unknown),
        Some(State::Provisioned) if same_plan => Decision::Unchanged,
        Some(State::Provisioned) => Decision::Run,
        Some(State::ChangingPlan) if same_plan => Decision::Join,
        Some(State::Provisioning | State::ChangingPlan) => Decision::Enqueue,
        Some(State::Deprovisioning | State::Deprovisioned) => Decision::Fail(FailureKind::Gone),
        Some(State::Parked) => Decision::Fail(FailureKind::Unavailable),
    }
}

pub(crate) fn deprovision(state: Option<State>) -> Decision {
    match state {
        None => Decision::Fail(FailureKind::Unknown),
        Some(State::Provisioning | State::ChangingPlan) => Decision::Enqueue,
        Some(State::Provisioned | State::Parked) => Decision::Run,
        Some(State::Deprovisioning) => Decision::Join,
        Some(State::Deprovisioned) => Decision::Fail(FailureKind::Gone),
        Some(State::Refused) => Decision::Unchanged,
    }
}

#[cfg(test)]
mod tests {
    use maitre_core::FailureKind::{Conflict, Gone, Unavailable, Unknown};

    use super::Decision::*;
    use super::*;

    const STATES: [Option<State>; 8] = [
        None,
        Some(State::Provisioning),
        Some(State::Provisioned),
        Some(State::ChangingPlan),
        Some(State::Deprovisioning),
        Some(State::Deprovisioned),
        Some(State::Refused),
        Some(State::Parked),
    ];

    #[test]
    fn every_cell_of_the_table_holds() {
        type Row = (&'static str, fn(Option<State>) -> Decision, [Decision; 8]);
        let (conflict, gone, unavailable, unknown) = (Fail(Conflict), Fail(Gone), Fail(Unavailable), Fail(Unknown));
        let rows: [Row; 5] = [
            ("same request", |s| provision(s, true), [Run, Join, Replay, Replay, gone, gone, Replay, Run]),
            (
                "different request",
                |s| provision(s, false),
                [Run, conflict, conflict, conflict, gone, gone, conflict, Run],
            ),
            (
                "different plan",
                |s| plan_change(s, false),
                [unknown, Enqueue, Run, Enqueue, gone, gone, unknown, unavailable],
            ),
            (
                "same plan",
                |s| plan_change(s, true),
                [unknown, Enqueue, Unchanged, Join, gone, gone, unknown, unavailable],
            ),
            ("deprovision", deprovision, [unknown, Enqueue, Run, Enqueue, Join, gone, Unchanged, Run]),
        ];
        for (event, rule, decisions) in rows {
            for (state, decision) in STATES.into_iter().zip(decisions) {
                assert_eq!(rule(state), decision, "{event} when {state:?}");
            }
        }
    }

    #[test]
    fn users_sign_in_to_live_resources_only() {
        let live: Vec<_> = STATES.into_iter().flatten().filter(|state| state.is_live()).collect();
        assert_eq!(live, [State::Provisioned, State::ChangingPlan]);
    }

    #[test]
    fn every_state_is_parsed_from_its_name() {
        for state in STATES.into_iter().flatten() {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
