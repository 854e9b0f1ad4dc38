//! What the front desk costs: a provision and a single sign-on through `maitre`, beside the same written by hand.
//!
//! `cargo bench -p maitre --bench front_desk`, and behind ` -- ` if wanted `--rounds N` and `--seconds S` (a round's
//! length for each server; no rounds: instructions alone). Servers and load are processes of their own: this
//! executable again, in another role. No log is installed in either server, so that a request costs what the desk
//! costs and not what the host's log does.

mod by_hand;
mod desk;
mod in_process;
mod instructions;
mod same;
mod settings;
mod throughput;
mod with_maitre;

use std::process::ExitCode;

use maitre_workbench::table::Table;
use maitre_workbench::{Outcome, load, serve};

use settings::{Role, Settings};

fn main() -> ExitCode {
    let done = match Role::of(std::env::args().skip(1)) {
        Ok(Role::Server { desk, threads }) => serve::serve(threads, async move { desk.app() }),
        Ok(Role::Load(order)) => load::run(&order),
        Ok(Role::InProcess { desk, ask, requests }) => in_process::run(desk, ask, requests),
        Ok(Role::Bench(settings)) => bench(&settings),
        Ok(Role::Nothing) => Ok(()),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("front_desk: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(settings: &Settings) -> Outcome<()> {
    same::check()?;
    let mut table = Table::of("a request", "maitre", "by hand");
    throughput::measure(settings, &mut table)?;
    instructions::measure(&mut table)?;
    table.print();
    Ok(())
}
