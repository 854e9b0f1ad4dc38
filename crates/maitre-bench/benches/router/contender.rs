//! The two that are compared, and the two things that are asked of them.

use axum::Router;
use maitre_workbench::asks::{Ask, PASSWORD, SALT, USER};
use maitre_workbench::process::Server;
use maitre_workbench::serve::Threads;
use maitre_workbench::{Outcome, named};

use crate::{by_hand, with_maitre};

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Desk {
    Maitre,
    ByHand,
}

impl Desk {
    pub(crate) const BOTH: [Self; 2] = [Self::Maitre, Self::ByHand];

    pub(crate) fn app(self) -> Outcome<Router> {
        Ok(match self {
            Self::Maitre => with_maitre::app(USER, PASSWORD, SALT)?,
            Self::ByHand => by_hand::app(USER, PASSWORD, SALT),
        })
    }
}

named!(Desk { Self::Maitre => "maitre", Self::ByHand => "by-hand" });

/// What is asked of both.
pub(crate) const ASKS: [Ask; 2] = [Ask::Provision, Ask::SignOn];

/// One of the two in a process of its own.
pub(crate) fn start(desk: Desk, threads: Threads) -> Outcome<Server> {
    Server::start(&[&desk.to_string(), &threads.to_string()])
}
