//! Provisions a second and the slowest in a hundred, in rounds: what the machine does beside it hits all alike.

use std::time::Duration;

use maitre_workbench::Outcome;
use maitre_workbench::asks::Ask;
use maitre_workbench::load::{self, Seen, Until};
use maitre_workbench::table::{Goal, Row, Table};

use crate::databases::Host;
use crate::desk::Desk;
use crate::settings::Settings;

const CALLERS: [u32; 4] = [1, 8, 64, 256];

/// Where the router without a ledger, and what is known already, are measured, too.
const MANY: u32 = 64;

pub(crate) fn measure(host: &Host, settings: &Settings, table: &mut Table) -> Outcome<()> {
    for callers in CALLERS {
        let rounds = rounds(host, settings, callers, [(Desk::Ledger, Ask::Provision), (Desk::ByHand, Ask::Provision)])?;
        let name = format!("by hand, {callers} at once");
        table.add(Row::of_rounds(format!("{name}: a second"), &figures(&rounds, per_second), by_hand(host, callers)));
        table.add(Row::of_rounds(format!("{name}: p99 in µs"), &figures(&rounds, p99), Goal::None));
    }
    let rounds_of_two = |two| rounds(host, settings, MANY, two);
    let bare = rounds_of_two([(Desk::Ledger, Ask::Provision), (Desk::Bare, Ask::Provision)])?;
    let goal = if matches!(host, Host::Disk) { Goal::AtLeast(0.15) } else { Goal::None };
    table.add(Row::of_rounds("no ledger, 64 at once: a second", &figures(&bare, per_second), goal));
    let known = rounds_of_two([(Desk::Ledger, Ask::Again), (Desk::Ledger, Ask::Provision)])?;
    let name = "replay to first, 64 at once: a second";
    table.add(Row::of_rounds(name, &figures(&known, per_second), Goal::AtLeast(3.0)));
    Ok(())
}

fn by_hand(host: &Host, callers: u32) -> Goal {
    match (host, callers) {
        (Host::Disk, 1) => Goal::AtLeast(0.9),
        (Host::Disk, MANY) => Goal::AtLeast(3.0),
        (Host::Server { .. }, MANY) => Goal::AtLeast(1.0),
        _ => Goal::None,
    }
}

pub(crate) fn per_second(seen: &Seen) -> f64 {
    seen.per_second
}

fn p99(seen: &Seen) -> f64 {
    seen.p99.as_secs_f64() * 1e6
}

pub(crate) fn figures(rounds: &[[Seen; 2]], figure: fn(&Seen) -> f64) -> Vec<[f64; 2]> {
    rounds.iter().map(|round| round.each_ref().map(figure)).collect()
}

/// Both, one after the other; who is first changes from round to round, as the machine may remember.
pub(crate) fn in_turn<T>(
    round: u32,
    one: impl FnOnce() -> Outcome<T>,
    other: impl FnOnce() -> Outcome<T>,
) -> Outcome<[T; 2]> {
    if round % 2 == 1 {
        let first = one()?;
        return Ok([first, other()?]);
    }
    let first = other()?;
    Ok([one()?, first])
}

/// Two servers in fresh processes.
fn rounds(host: &Host, settings: &Settings, callers: u32, two: [(Desk, Ask); 2]) -> Outcome<Vec<[Seen; 2]>> {
    let mut seen = Vec::new();
    for round in 1..=settings.rounds {
        let one = |(desk, ask): (Desk, Ask)| one(host, desk, ask, callers, settings.length);
        let both = in_turn(round, || one(two[0]), || one(two[1]))?;
        eprintln!(
            "round {round} of {}, {callers} at once: {} {} {:.0}/s, {} {} {:.0}/s, ratio {:.3}",
            settings.rounds,
            two[0].0,
            two[0].1,
            both[0].per_second,
            two[1].0,
            two[1].1,
            both[1].per_second,
            both[0].per_second / both[1].per_second,
        );
        seen.push(both);
    }
    Ok(seen)
}

fn one(host: &Host, desk: Desk, ask: Ask, callers: u32, length: Duration) -> Outcome<Seen> {
    let database = host.database()?;
    let server = desk.start(&database)?;
    load::order(&server, ask, callers, Until::Time(length))
}
