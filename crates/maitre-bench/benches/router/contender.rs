//! Servers that are compared, and the requests that they get.

use axum::Router;
use maitre_bench_support::process::Server;
use maitre_bench_support::requests::{PASSWORD, RequestKind, SALT, USER};
use maitre_bench_support::serve::Threads;
use maitre_bench_support::{Outcome, named};

use crate::{baseline, maitre_app};

/// Server that is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    Maitre,
    Baseline,
}

impl Contender {
    pub(crate) const BOTH: [Self; 2] = [Self::Maitre, Self::Baseline];

    pub(crate) fn app(self) -> Outcome<Router> {
        Ok(match self {
            Self::Maitre => maitre_app::app(USER, PASSWORD, SALT)?,
            Self::Baseline => baseline::app(USER, PASSWORD, SALT),
        })
    }
}

named!(Contender { Self::Maitre => "maitre", Self::Baseline => "baseline" });

/// Requests that both servers get.
pub(crate) const KINDS: [RequestKind; 4] =
    [RequestKind::Provision, RequestKind::SignOn, RequestKind::OsbProvision, RequestKind::VercelProvision];

/// Starts a server in its own process.
pub(crate) fn start(contender: Contender, threads: Threads) -> Outcome<Server> {
    Server::start(&[&contender.to_string(), &threads.to_string()])
}
