//! Who answers.

use axum::Router;
use maitre_workbench::process::Server;
use maitre_workbench::serve::Threads;
use maitre_workbench::{Outcome, named};

use crate::databases::Database;
use crate::{by_hand, with_maitre};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Desk {
    /// `maitre` with a ledger.
    Ledger,
    /// A handler and its table, written by hand.
    ByHand,
    /// `maitre` with no ledger, and so with no database.
    Bare,
}

named!(Desk { Self::Ledger => "ledger", Self::ByHand => "by-hand", Self::Bare => "bare" });

impl Desk {
    pub(crate) async fn app(self, url: String) -> Outcome<Router> {
        match self {
            Self::Ledger => with_maitre::kept(&url).await,
            Self::ByHand => by_hand::app(&url).await,
            Self::Bare => with_maitre::bare(),
        }
    }

    /// Starts it in a process of its own, on this database.
    pub(crate) fn start(self, database: &Database) -> Outcome<Server> {
        self.start_at(&database.url)
    }

    pub(crate) fn start_at(self, url: &str) -> Outcome<Server> {
        Server::start(&[&self.to_string(), url, &Threads::Many.to_string()])
    }
}
