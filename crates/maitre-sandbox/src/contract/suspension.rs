//! Suspensions of resources, which some marketplaces have.

use maitre_testkit::platform::{Install, State};

use super::{definition::Action, facts::Facts};

const FACT: &str = "suspended";

pub(super) const SUSPEND: Action = Action::new("suspend", "Suspend");

pub(super) const REINSTATE: Action = Action::new("reinstate", "Reinstate");

pub(crate) fn is_suspended(facts: &Facts, uuid: &str) -> bool {
    facts.has(uuid, FACT)
}

/// Returns the action that a provisioned install can meet next.
pub(super) fn actions(facts: &Facts, install: &Install) -> Vec<Action> {
    match install.state() {
        State::Provisioned if is_suspended(facts, install.uuid()) => vec![REINSTATE],
        State::Provisioned => vec![SUSPEND],
        _ => Vec::new(),
    }
}

pub(super) fn record(facts: &Facts, install: &Install, action: &str) {
    if action == SUSPEND.name {
        facts.set(install.uuid(), FACT, "true");
    } else if action == REINSTATE.name {
        facts.remove(install.uuid(), FACT);
    }
}
