//! State rules: one table, as pure functions of the event and the resource's state.
//!
//! | event | none | asking | provisioning | provisioned | changing plan | deprovisioning | deprovisioned | refused | parked |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | provision, same request | run | unavailable | join | replay | replay | gone | gone | replay | run |
//! | provision, different request | run | unavailable | conflict | conflict | conflict | gone | gone | conflict | run |
//! | plan change | ask | enqueue; same plan: join | enqueue | run; same plan: unchanged | enqueue; same plan: join | gone | gone | unknown | unavailable |
//! | deprovision | ask | enqueue | enqueue | run | enqueue | join | gone | unchanged | run |
//! | update, rotate | ask | enqueue; same: join | enqueue | run | enqueue; same: join | gone | gone | unknown | unavailable |
//! | single sign-on | ask | run | unknown | run | run | unknown | unknown | unknown | unknown |
//!
//! *Ask* follows the [`UnknownPolicy`]: the listener is called as for a known resource. If it knows the resource, the ledger
//! adopts it; if not, the answer is unknown. While a plan change asks, the resource is *asking*: it has a row, which is not
//! confirmed, so that other requests wait for their turn. It is deleted if the listener does not know the resource; a
//! deprovision leaves a tombstone in any case. The key of a deprovisioned or refused resource may be used again if the setting
//! or the marketplace's contract allows it: then a provision is *run*. A rotation with the
//! key of an earlier one is answered by its record.

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
    /// The resource exists and a plan change or an update is open.
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

/// Treatment of plan changes, deprovisions and single sign-ons of resources that the ledger has never seen; see
/// [`LedgerBuilder::unknown_policy`](crate::LedgerBuilder::unknown_policy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum UnknownPolicy {
    /// Calls the listener, as the resource may have been sold before the ledger was there, or lost in a restore from a
    /// backup. If the listener knows the resource, the ledger adopts it.
    #[default]
    AskListener,
    /// Answers "unknown" without a call. For a ledger that has been there since the first customer.
    AnswerUnknown,
}

impl UnknownPolicy {
    pub(super) fn decision(self) -> Decision {
        match self {
            Self::AskListener => Decision::Ask,
            Self::AnswerUnknown => Decision::Fail(FailureKind::Unknown),
        }
    }
}

/// Comparison of a provision with the resource's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    Same,
    Different,
    /// The listener is being asked whether the resource exists.
    Unconfirmed,
}

/// Decision about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Record the operation and call the listener.
    Run,
    /// Record the operation of a resource that the ledger has never seen, and call the listener.
    Ask,
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

/// `reuse`: whether the key of a deprovisioned or refused resource may be used again.
pub(crate) fn provision(state: Option<State>, repeat: Repeat, reuse: bool) -> Decision {
    match state {
        None | Some(State::Parked) => Decision::Run,
        Some(State::Deprovisioned | State::Refused) if reuse => Decision::Run,
        Some(State::Deprovisioning | State::Deprovisioned) => Decision::Fail(FailureKind::Gone),
        Some(_) if repeat == Repeat::Unconfirmed => Decision::Fail(FailureKind::Unavailable),
        Some(_) if repeat == Repeat::Different => Decision::Fail(FailureKind::Conflict),
        Some(State::Provisioning) => Decision::Join,
        Some(State::Provisioned | State::ChangingPlan | State::Refused) => Decision::Replay,
    }
}

/// Also for an update. `same_plan`: whether the requested plan is the current one or, while changes are open, whether the last
/// one of the same kind is the same.
pub(crate) fn plan_change(state: Option<State>, same_plan: bool, unknown: UnknownPolicy) -> Decision {
    match state {
        None => unknown.decision(),
        Some(State::Refused) => Decision::Fail(FailureKind::Unknown),
        Some(State::Provisioned) if same_plan => Decision::Unchanged,
        Some(State::Provisioned) => Decision::Run,
        Some(State::ChangingPlan) if same_plan => Decision::Join,
        Some(State::Provisioning | State::ChangingPlan) => Decision::Enqueue,
        Some(State::Deprovisioning | State::Deprovisioned) => Decision::Fail(FailureKind::Gone),
        Some(State::Parked) => Decision::Fail(FailureKind::Unavailable),
    }
}

pub(crate) fn deprovision(state: Option<State>, unknown: UnknownPolicy) -> Decision {
    match state {
        None => unknown.decision(),
        Some(State::Provisioning | State::ChangingPlan) => Decision::Enqueue,
        Some(State::Provisioned | State::Parked) => Decision::Run,
        Some(State::Deprovisioning) => Decision::Join,
        Some(State::Deprovisioned) => Decision::Fail(FailureKind::Gone),
        Some(State::Refused) => Decision::Unchanged,
    }
}

pub(crate) fn single_sign_on(state: Option<State>, unknown: UnknownPolicy) -> Decision {
    match state {
        None => unknown.decision(),
        Some(state) if state.is_live() => Decision::Run,
        Some(_) => Decision::Fail(FailureKind::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use maitre_core::FailureKind::{Conflict, Gone, Unavailable, Unknown};

    use super::Decision::*;
    use super::UnknownPolicy::{AnswerUnknown, AskListener};
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
        let rows: [Row; 7] = [
            (
                "same request",
                |s| provision(s, Repeat::Same, false),
                [Run, Join, Replay, Replay, gone, gone, Replay, Run],
            ),
            (
                "different request",
                |s| provision(s, Repeat::Different, false),
                [Run, conflict, conflict, conflict, gone, gone, conflict, Run],
            ),
            (
                "reused key",
                |s| provision(s, Repeat::Different, true),
                [Run, conflict, conflict, conflict, gone, Run, Run, Run],
            ),
            (
                "different plan",
                |s| plan_change(s, false, AskListener),
                [Ask, Enqueue, Run, Enqueue, gone, gone, unknown, unavailable],
            ),
            (
                "same plan",
                |s| plan_change(s, true, AskListener),
                [Ask, Enqueue, Unchanged, Join, gone, gone, unknown, unavailable],
            ),
            ("deprovision", |s| deprovision(s, AskListener), [Ask, Enqueue, Run, Enqueue, Join, gone, Unchanged, Run]),
            (
                "single sign-on",
                |s| single_sign_on(s, AskListener),
                [Ask, unknown, Run, Run, unknown, unknown, unknown, unknown],
            ),
        ];
        for (event, rule, decisions) in rows {
            for (state, decision) in STATES.into_iter().zip(decisions) {
                assert_eq!(rule(state), decision, "{event} when {state:?}");
            }
        }
    }

    #[test]
    fn a_provision_of_a_resource_about_which_the_listener_is_asked_has_to_wait() {
        for state in [State::Provisioned, State::ChangingPlan] {
            assert_eq!(provision(Some(state), Repeat::Unconfirmed, true), Fail(Unavailable));
        }
        for state in [State::Deprovisioning, State::Deprovisioned] {
            assert_eq!(provision(Some(state), Repeat::Unconfirmed, false), Fail(Gone));
        }
    }

    #[test]
    fn only_resources_without_a_record_depend_on_the_policy() {
        assert_eq!(plan_change(None, false, AnswerUnknown), Fail(Unknown));
        assert_eq!(deprovision(None, AnswerUnknown), Fail(Unknown));
        assert_eq!(single_sign_on(None, AnswerUnknown), Fail(Unknown));
        for state in STATES.into_iter().flatten().map(Some) {
            assert_eq!(plan_change(state, false, AnswerUnknown), plan_change(state, false, AskListener));
            assert_eq!(deprovision(state, AnswerUnknown), deprovision(state, AskListener));
            assert_eq!(single_sign_on(state, AnswerUnknown), single_sign_on(state, AskListener));
        }
    }

    #[test]
    fn every_state_is_parsed_from_its_name() {
        for state in STATES.into_iter().flatten() {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
