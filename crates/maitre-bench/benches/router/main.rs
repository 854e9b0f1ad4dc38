//! Cost of the router: a provision and a single sign-on through `maitre`, compared with a hand-written handler.
//!
//! `cargo bench -p maitre-bench --bench router`, optionally with ` -- ` and `--rounds N` and `--seconds S` (duration of a
//! round per server; without rounds only instructions are counted). Servers and load are separate processes: this
//! executable in another role. Neither server installs a log, so that the cost of the host's log is not measured.

mod baseline;
mod contender;
mod equal;
mod in_process;
mod instructions;
mod keys;
mod maitre_app;
mod settings;
mod throughput;

use std::process::ExitCode;

use maitre_bench_support::table::Table;
use maitre_bench_support::{Outcome, load, serve};

use settings::{Role, Settings};

fn main() -> ExitCode {
    let done = match Role::of(std::env::args().skip(1)) {
        Ok(Role::Server { contender, threads }) => serve::serve(threads, async move { contender.app() }),
        Ok(Role::Load(order)) => load::run(&order),
        Ok(Role::InProcess { contender, ask, requests }) => in_process::run(contender, ask, requests),
        Ok(Role::Bench(settings)) => bench(&settings),
        Ok(Role::Nothing) => Ok(()),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("router: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(settings: &Settings) -> Outcome<()> {
    equal::check()?;
    let mut table = Table::of("a request", "maitre", "baseline");
    throughput::measure(settings, &mut table)?;
    instructions::measure(&mut table)?;
    table.print();
    Ok(())
}
