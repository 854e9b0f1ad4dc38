//! Cost of the ledger: provisions through `maitre` with a ledger, compared with a hand-written handler that does the
//! minimum that is still correct, and with the same router without a ledger.
//!
//! `cargo bench -p maitre-bench --bench ledger`, optionally with ` -- ` and `--rounds N`, `--seconds S` (duration of a
//! round per server), `--only sqlite` or `--only postgres`, `--growth N` (the same with N resources in the ledger, and the
//! memory of the process that created them), `--async N` (latency of the 202s of N concurrent slow provisions), or
//! `--rate N` (latency at N provisions a second).
//! Servers and load are separate processes: this executable in another role. Every server starts with an empty database
//! on the same disk or server.

mod accept;
mod baseline;
mod contender;
mod databases;
mod growth;
mod maitre_app;
mod rate;
mod round_trips;
mod settings;
mod slow_app;
mod throughput;

use std::process::ExitCode;

use maitre_bench_support::table::Table;
use maitre_bench_support::{Outcome, load, serve};

use settings::{Role, Settings};

fn main() -> ExitCode {
    let done = match Role::of(std::env::args().skip(1)) {
        Ok(Role::Server { contender, url, threads }) => serve::serve(threads, contender.app(url)),
        Ok(Role::Load(order)) => load::run(&order),
        Ok(Role::Bench(settings)) => bench(&settings),
        Ok(Role::Nothing) => Ok(()),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ledger: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(settings: &Settings) -> Outcome<()> {
    for host in databases::hosts(settings.only.as_deref()) {
        println!("\n{host}");
        if let Some(resources) = settings.growth {
            growth::measure(&host, settings, resources)?;
        } else if let Some(orders) = settings.accept {
            accept::measure(&host, settings, orders)?;
        } else if let Some(per_second) = settings.rate {
            rate::measure(&host, settings, per_second)?;
        } else {
            let mut table = Table::of("provisions", "ledger", "other");
            throughput::measure(&host, settings, &mut table)?;
            round_trips::measure(&host, &mut table)?;
            table.print();
        }
    }
    Ok(())
}
