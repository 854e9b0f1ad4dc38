//! What the front desk costs: a provision and a single sign-on through `maitre`, beside the same written by hand.
//!
//! `cargo bench -p maitre --bench front_desk`, and behind ` -- ` if wanted `--rounds N` and `--seconds S` (a round's
//! length for each server; no rounds: instructions alone). Servers and load are processes of their own: this
//! executable again, in another role. No log is installed in either server, so that a request costs what the desk
//! costs and not what the host's log does.

mod asks;
mod by_hand;
mod child;
mod desk;
mod in_process;
mod instructions;
mod load;
mod same;
mod server;
mod settings;
mod table;
mod throughput;
mod wire;
mod with_maitre;

use std::error::Error;
use std::process::ExitCode;

use settings::{Role, Settings};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let done = match Role::of(std::env::args().skip(1)) {
        Ok(Role::Server { desk, threads }) => server::serve(desk, threads),
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
    let mut table = table::Table::default();
    throughput::measure(settings, &mut table)?;
    instructions::measure(&mut table)?;
    table.print();
    Ok(())
}
