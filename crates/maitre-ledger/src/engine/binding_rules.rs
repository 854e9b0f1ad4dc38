//! State rules of bindings: one table, as pure functions of the event and the states of binding and resource.
//!
//! | event | none | binding | bound | unbinding | unbound | refused | parked |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | bind, same request | run | join | replay | gone | gone | replay | run |
//! | bind, different request | run | conflict | conflict | gone | gone | conflict | run |
//! | unbind | ask or unknown | enqueue | run | join | gone | unchanged | run |
//!
//! The operations of a resource and its bindings run one after the other. A bind needs a provisioned resource:
//!
//! | event | none | provisioning | provisioned, changing plan | deprovisioning, deprovisioned | refused | parked |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | bind | ask | concurrent | as above | gone | unknown | unavailable |
//! | unbind | ask or unknown | as above | as above | gone | unknown | as above |
//!
//! *Ask* follows the [`UnknownPolicy`]. About an unbind the listener is asked only if it creates separate credentials for
//! each binding; otherwise there is nothing that it could know. An unbind of an unknown binding leaves a tombstone. A
//! binding ends with its resource.

use std::fmt;
use std::str::FromStr;

use maitre_core::FailureKind;

use super::operation::ParseNameError;
use super::rules::{Decision, Repeat, State, UnknownPolicy};

/// State of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BindingState {
    /// A bind was requested and has no final reply yet.
    Binding,
    /// The binding exists.
    Bound,
    /// An unbind was requested.
    Unbinding,
    /// The binding was removed.
    Unbound,
    /// The listener refused the bind.
    Refused,
    /// The bind failed after the last attempt: an operator has to look at it.
    Parked,
}

const NAMES: [(BindingState, &str); 6] = [
    (BindingState::Binding, "binding"),
    (BindingState::Bound, "bound"),
    (BindingState::Unbinding, "unbinding"),
    (BindingState::Unbound, "unbound"),
    (BindingState::Refused, "refused"),
    (BindingState::Parked, "parked"),
];

impl BindingState {
    /// Returns the name in the database.
    ///
    /// ```
    /// assert_eq!(maitre_ledger::BindingState::Unbound.as_str(), "unbound");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }
}

impl fmt::Display for BindingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for BindingState {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, ParseNameError> {
        let state = NAMES.iter().find(|(_, name)| *name == text).map(|(state, _)| *state);
        state.ok_or_else(|| ParseNameError(text.to_owned()))
    }
}

/// Returns the failure of a bind that the state of its resource decides, or `Run` or `Ask`.
pub(crate) fn bind_on(resource: Option<State>, unknown: UnknownPolicy) -> Decision {
    match resource {
        None => unknown.decision(),
        Some(State::Provisioned | State::ChangingPlan) => Decision::Run,
        Some(State::Provisioning) => Decision::Fail(FailureKind::Concurrent),
        Some(State::Deprovisioning | State::Deprovisioned) => Decision::Fail(FailureKind::Gone),
        Some(State::Refused) => Decision::Fail(FailureKind::Unknown),
        Some(State::Parked) => Decision::Fail(FailureKind::Unavailable),
    }
}

pub(crate) fn bind(binding: Option<BindingState>, repeat: Repeat, reuse: bool) -> Decision {
    match binding {
        None | Some(BindingState::Parked) => Decision::Run,
        Some(BindingState::Unbound) if reuse => Decision::Run,
        Some(BindingState::Unbinding | BindingState::Unbound) => Decision::Fail(FailureKind::Gone),
        Some(_) if repeat != Repeat::Same => Decision::Fail(FailureKind::Conflict),
        Some(BindingState::Binding) => Decision::Join,
        Some(BindingState::Bound | BindingState::Refused) => Decision::Replay,
    }
}

/// Returns the failure of an unbind that the state of its resource decides, or `Run` or `Ask`.
pub(crate) fn unbind_on(resource: Option<State>, unknown: UnknownPolicy, separate: bool) -> Decision {
    match resource {
        None if separate => unknown.decision(),
        None | Some(State::Refused) => Decision::Fail(FailureKind::Unknown),
        Some(State::Deprovisioning | State::Deprovisioned) => Decision::Fail(FailureKind::Gone),
        Some(State::Provisioning | State::Provisioned | State::ChangingPlan | State::Parked) => Decision::Run,
    }
}

pub(crate) fn unbind(binding: Option<BindingState>, unknown: UnknownPolicy, separate: bool) -> Decision {
    match binding {
        None if separate => unknown.decision(),
        None => Decision::Fail(FailureKind::Unknown),
        Some(BindingState::Binding) => Decision::Enqueue,
        Some(BindingState::Bound | BindingState::Parked) => Decision::Run,
        Some(BindingState::Unbinding) => Decision::Join,
        Some(BindingState::Unbound) => Decision::Fail(FailureKind::Gone),
        Some(BindingState::Refused) => Decision::Unchanged,
    }
}

#[cfg(test)]
mod tests {
    use maitre_core::FailureKind::{Concurrent, Conflict, Gone, Unavailable, Unknown};

    use super::super::rules::Decision::*;
    use super::super::rules::UnknownPolicy::{AnswerUnknown, AskListener};
    use super::*;

    const STATES: [Option<BindingState>; 7] = [
        None,
        Some(BindingState::Binding),
        Some(BindingState::Bound),
        Some(BindingState::Unbinding),
        Some(BindingState::Unbound),
        Some(BindingState::Refused),
        Some(BindingState::Parked),
    ];

    const RESOURCE_STATES: [Option<State>; 8] = [
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
    fn every_cell_of_the_binding_table_holds() {
        type Row = (&'static str, fn(Option<BindingState>) -> Decision, [Decision; 7]);
        let (conflict, gone, unknown) = (Fail(Conflict), Fail(Gone), Fail(Unknown));
        let rows: [Row; 6] = [
            ("same bind", |s| bind(s, Repeat::Same, false), [Run, Join, Replay, gone, gone, Replay, Run]),
            ("other bind", |s| bind(s, Repeat::Different, false), [Run, conflict, conflict, gone, gone, conflict, Run]),
            (
                "bind with reuse",
                |s| bind(s, Repeat::Different, true),
                [Run, conflict, conflict, gone, Run, conflict, Run],
            ),
            ("unbind", |s| unbind(s, AskListener, true), [Ask, Enqueue, Run, Join, gone, Unchanged, Run]),
            ("shared unbind", |s| unbind(s, AskListener, false), [unknown, Enqueue, Run, Join, gone, Unchanged, Run]),
            ("unasked unbind", |s| unbind(s, AnswerUnknown, true), [unknown, Enqueue, Run, Join, gone, Unchanged, Run]),
        ];
        for (event, rule, decisions) in rows {
            for (state, decision) in STATES.into_iter().zip(decisions) {
                assert_eq!(rule(state), decision, "{event} when {state:?}");
            }
        }
    }

    #[test]
    fn every_cell_of_the_resource_table_holds() {
        type Row = (&'static str, fn(Option<State>) -> Decision, [Decision; 8]);
        let (gone, unknown, unavailable) = (Fail(Gone), Fail(Unknown), Fail(Unavailable));
        let rows: [Row; 4] = [
            ("bind", |s| bind_on(s, AskListener), [Ask, Fail(Concurrent), Run, Run, gone, gone, unknown, unavailable]),
            (
                "unasked bind",
                |s| bind_on(s, AnswerUnknown),
                [unknown, Fail(Concurrent), Run, Run, gone, gone, unknown, unavailable],
            ),
            ("unbind", |s| unbind_on(s, AskListener, true), [Ask, Run, Run, Run, gone, gone, unknown, Run]),
            ("shared unbind", |s| unbind_on(s, AskListener, false), [unknown, Run, Run, Run, gone, gone, unknown, Run]),
        ];
        for (event, rule, decisions) in rows {
            for (state, decision) in RESOURCE_STATES.into_iter().zip(decisions) {
                assert_eq!(rule(state), decision, "{event} when {state:?}");
            }
        }
    }

    #[test]
    fn every_state_is_parsed_from_its_name() {
        for state in STATES.into_iter().flatten() {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
