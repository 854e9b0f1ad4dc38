//! What keeping a record costs: provisions through `maitre` with a ledger, beside a hand-written handler that does the
//! least that is still correct, and beside the same router with no ledger at all.
//!
//! `cargo bench -p maitre-ledger`, and behind ` -- ` if wanted `--rounds N`, `--seconds S` (a round's length for each
//! server), `--only sqlite` or `--only postgres`, `--growth N` (the same with so many resources in the ledger, and the
//! memory of the process that made them), or `--give-way N` (how long 202 takes for so many slow orders at once). Servers and load are processes of their own: this executable again, in another
//! role. Every server starts with an empty database on the same disk or server.

mod by_hand;
mod databases;
mod desk;
mod give_way;
mod growth;
mod round_trips;
mod settings;
mod slow;
mod throughput;
mod with_maitre;

use std::process::ExitCode;

use maitre_workbench::table::Table;
use maitre_workbench::{Outcome, load, serve};

use settings::{Role, Settings};

fn main() -> ExitCode {
    let done = match Role::of(std::env::args().skip(1)) {
        Ok(Role::Server { desk, url, threads }) => serve::serve(threads, desk.app(url)),
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
        } else if let Some(orders) = settings.give_way {
            give_way::measure(&host, settings, orders)?;
        } else {
            let mut table = Table::of("provisions", "ledger", "other");
            throughput::measure(&host, settings, &mut table)?;
            round_trips::measure(&host, &mut table)?;
            table.print();
        }
    }
    Ok(())
}
