//! What the ledger answers: one table, as pure functions of the event and the resource's state.
//!
//! | event | nothing known | being provisioned | provisioned | changing plan | being removed | removed | refused | parked |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | provision, as first asked | run | join | replay | replay | gone | gone | replay | run |
//! | provision, otherwise | run | conflict | conflict | conflict | gone | gone | conflict | run |
//! | plan change | unknown | after it | run; same plan: no call | after it; same: join | gone | gone | unknown | unavailable |
//! | deprovision | unknown, tombstone | after it | run | after it | join | gone | no call | run |
//! | single sign-on | unknown | unknown | run | run | unknown | unknown | unknown | unknown |

use std::fmt;
use std::str::FromStr;

/// Where a resource is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// A provision was asked for and is not answered for good.
    Provisioning,
    /// It is there.
    Provisioned,
    /// It is there, and a plan change is under way.
    ChangingPlan,
    /// Its removal was asked for; nothing can stop it.
    Deprovisioning,
    /// It is gone, and its key never lives again.
    Deprovisioned,
    /// The listener refused to make it.
    Refused,
    /// It could not be made, and a person has to look at it.
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
    /// The state's name in the records and in an operator's view.
    ///
    /// ```
    /// assert_eq!(maitre_ledger::State::ChangingPlan.as_str(), "changing_plan");
    /// ```
    #[must_use]
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// Whether a customer may sign in and the vendor may be asked for things.
    pub(crate) fn lives(self) -> bool {
        matches!(self, Self::Provisioned | Self::ChangingPlan)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        NAMES.iter().find(|(_, name)| *name == text).map(|(state, _)| *state).ok_or(())
    }
}

/// What to do about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Write the intent down and call the listener.
    Run,
    /// Write the intent down; its turn comes after what is under way.
    After,
    /// Wait for the operation that does the same already.
    Join,
    /// Give the answer that was given before.
    Replay,
    /// Success, and there is nothing to do.
    NoCall,
    Conflict,
    Unknown,
    Gone,
    Unavailable,
}

pub(crate) fn provision(state: Option<State>, as_first_asked: bool) -> Decision {
    match state {
        None | Some(State::Parked) => Decision::Run,
        Some(State::Deprovisioning | State::Deprovisioned) => Decision::Gone,
        Some(_) if !as_first_asked => Decision::Conflict,
        Some(State::Provisioning) => Decision::Join,
        Some(State::Provisioned | State::ChangingPlan | State::Refused) => Decision::Replay,
    }
}

/// `same_plan` compares with the plan that the resource has or, while it is changing, is about to have.
pub(crate) fn plan_change(state: Option<State>, same_plan: bool) -> Decision {
    match state {
        None | Some(State::Refused) => Decision::Unknown,
        Some(State::Provisioned) if same_plan => Decision::NoCall,
        Some(State::Provisioned) => Decision::Run,
        Some(State::ChangingPlan) if same_plan => Decision::Join,
        Some(State::Provisioning | State::ChangingPlan) => Decision::After,
        Some(State::Deprovisioning | State::Deprovisioned) => Decision::Gone,
        Some(State::Parked) => Decision::Unavailable,
    }
}

pub(crate) fn deprovision(state: Option<State>) -> Decision {
    match state {
        None => Decision::Unknown,
        Some(State::Provisioning | State::ChangingPlan) => Decision::After,
        Some(State::Provisioned | State::Parked) => Decision::Run,
        Some(State::Deprovisioning) => Decision::Join,
        Some(State::Deprovisioned) => Decision::Gone,
        Some(State::Refused) => Decision::NoCall,
    }
}

#[cfg(test)]
mod tests {
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
    fn the_table_is_kept_cell_by_cell() {
        type Row = (&'static str, fn(Option<State>) -> Decision, [Decision; 8]);
        let rows: [Row; 5] = [
            ("as first asked", |s| provision(s, true), [Run, Join, Replay, Replay, Gone, Gone, Replay, Run]),
            ("otherwise", |s| provision(s, false), [Run, Conflict, Conflict, Conflict, Gone, Gone, Conflict, Run]),
            ("other plan", |s| plan_change(s, false), [Unknown, After, Run, After, Gone, Gone, Unknown, Unavailable]),
            ("same plan", |s| plan_change(s, true), [Unknown, After, NoCall, Join, Gone, Gone, Unknown, Unavailable]),
            ("deprovision", deprovision, [Unknown, After, Run, After, Join, Gone, NoCall, Run]),
        ];
        for (event, rule, answers) in rows {
            for (state, answer) in STATES.into_iter().zip(answers) {
                assert_eq!(rule(state), answer, "{event} when {state:?}");
            }
        }
    }

    #[test]
    fn people_sign_in_to_what_is_there_alone() {
        let living: Vec<_> = STATES.into_iter().flatten().filter(|state| state.lives()).collect();
        assert_eq!(living, [State::Provisioned, State::ChangingPlan]);
    }

    #[test]
    fn every_state_is_read_back_by_its_name() {
        for state in STATES.into_iter().flatten() {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
