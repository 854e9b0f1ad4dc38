//! Who answers.

use axum::Router;
use maitre_workbench::process::{self, Server};
use maitre_workbench::serve::Threads;
use maitre_workbench::{Outcome, named};

use crate::databases::Database;
use crate::{by_hand, slow, with_maitre};

/// Where a server finds Heroku, if it has to tell it anything.
const HEROKU: &str = "MAITRE_BENCH_HEROKU";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Desk {
    /// `maitre` with a ledger.
    Ledger,
    /// A handler and its table, written by hand.
    ByHand,
    /// `maitre` with no ledger, and so with no database.
    Bare,
    /// `maitre` with a ledger and Heroku's API behind it, and work that takes its time.
    Slow,
    /// A handler that sleeps, and says 202.
    Sleeps,
}

named!(Desk {
    Self::Ledger => "ledger",
    Self::ByHand => "by-hand",
    Self::Bare => "bare",
    Self::Slow => "slow",
    Self::Sleeps => "sleeps",
});

impl Desk {
    pub(crate) async fn app(self, url: String) -> Outcome<Router> {
        match self {
            Self::Ledger => with_maitre::kept(&url).await,
            Self::ByHand => by_hand::app(&url).await,
            Self::Bare => with_maitre::bare(),
            Self::Slow => slow::app(&url, &std::env::var(HEROKU)?).await,
            Self::Sleeps => Ok(slow::sleeps()),
        }
    }

    /// Starts it in a process of its own, on this database.
    pub(crate) fn start(self, database: &Database) -> Outcome<Server> {
        self.start_at(&database.url)
    }

    pub(crate) fn start_at(self, url: &str) -> Outcome<Server> {
        Server::start(&[&self.to_string(), url, &Threads::Many.to_string()])
    }

    /// The same with Heroku's API at this address.
    pub(crate) fn start_with(self, url: &str, heroku: &str) -> Outcome<Server> {
        let mut command = process::this()?;
        command.env(HEROKU, heroku);
        Server::start_by(command, &[&self.to_string(), url, &Threads::Many.to_string()])
    }
}
