//! Servers that are compared.

use axum::Router;
use maitre_bench_support::process::{self, Server};
use maitre_bench_support::serve::Threads;
use maitre_bench_support::{Outcome, named};

use crate::databases::Database;
use crate::{baseline, maitre_app, slow_app};

/// Environment variable with the URL of the fake Heroku.
const HEROKU: &str = "MAITRE_BENCH_HEROKU";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    /// `maitre` with a ledger.
    Ledger,
    /// The same with a listener that writes rows of its own to the same SQLite file.
    SameFile,
    /// The same with a SQLite file of its own.
    OwnFile,
    /// Hand-written handler with its own table.
    Baseline,
    /// `maitre` without a ledger, and so without a database.
    Bare,
    /// `maitre` with a ledger, Heroku's API and slow work.
    Slow,
    /// Handler that sleeps and answers 202.
    Sleeps,
}

named!(Contender {
    Self::Ledger => "ledger",
    Self::SameFile => "same-file",
    Self::OwnFile => "own-file",
    Self::Baseline => "baseline",
    Self::Bare => "bare",
    Self::Slow => "slow",
    Self::Sleeps => "sleeps",
});

impl Contender {
    pub(crate) async fn app(self, url: String) -> Outcome<Router> {
        match self {
            Self::Ledger => maitre_app::kept(&url).await,
            Self::SameFile => maitre_app::kept_beside_rows(&url, &url).await,
            Self::OwnFile => maitre_app::kept_beside_rows(&url, &url.replace("bench.db", "rows.db")).await,
            Self::Baseline => baseline::app(&url).await,
            Self::Bare => maitre_app::bare(),
            Self::Slow => slow_app::app(&url, &std::env::var(HEROKU)?).await,
            Self::Sleeps => Ok(slow_app::sleeps()),
        }
    }

    /// Starts the server in its own process on this database.
    pub(crate) fn start(self, database: &Database) -> Outcome<Server> {
        self.start_at(&database.url)
    }

    pub(crate) fn start_at(self, url: &str) -> Outcome<Server> {
        Server::start(&[&self.to_string(), url, &Threads::Many.to_string()])
    }

    /// Starts the server with Heroku's API at this address.
    pub(crate) fn start_with(self, url: &str, heroku: &str) -> Outcome<Server> {
        let mut command = process::this()?;
        command.env(HEROKU, heroku);
        Server::start_by(command, &[&self.to_string(), url, &Threads::Many.to_string()])
    }
}
