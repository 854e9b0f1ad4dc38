//! Throughput and p99 latency, in rounds, so that other load on the machine affects all servers alike.

use std::time::Duration;

use maitre_bench_support::Outcome;
use maitre_bench_support::load::{self, LoadReport, Until};
use maitre_bench_support::requests::RequestKind;
use maitre_bench_support::table::{Goal, Row, Table};

use crate::contender::Contender;
use crate::databases::Host;
use crate::settings::Settings;

const CALLERS: [u32; 4] = [1, 8, 64, 256];

/// Number of callers with which replays and the router without a ledger are measured.
const MANY: u32 = 64;

pub(crate) fn measure(host: &Host, settings: &Settings, table: &mut Table) -> Outcome<()> {
    for callers in CALLERS {
        let rounds = rounds(
            host,
            settings,
            callers,
            [(Contender::Ledger, RequestKind::Provision), (Contender::Baseline, RequestKind::Provision)],
        )?;
        let name = format!("baseline, {callers} at once");
        table.add(Row::of_rounds(format!("{name}: a second"), &figures(&rounds, per_second), baseline(host, callers)));
        table.add(Row::of_rounds(format!("{name}: p99 in µs"), &figures(&rounds, p99), Goal::None));
    }
    let rounds_of_two = |two| rounds(host, settings, MANY, two);
    let bare = rounds_of_two([(Contender::Ledger, RequestKind::Provision), (Contender::Bare, RequestKind::Provision)])?;
    let goal = if matches!(host, Host::Disk) { Goal::AtLeast(0.15) } else { Goal::None };
    table.add(Row::of_rounds("no ledger, 64 at once: a second", &figures(&bare, per_second), goal));
    let known = rounds_of_two([(Contender::Ledger, RequestKind::Replay), (Contender::Ledger, RequestKind::Provision)])?;
    let name = "replay to first, 64 at once: a second";
    table.add(Row::of_rounds(name, &figures(&known, per_second), Goal::AtLeast(3.0)));
    Ok(())
}

fn baseline(host: &Host, callers: u32) -> Goal {
    match (host, callers) {
        (Host::Disk, 1) => Goal::AtLeast(0.9),
        (Host::Disk, MANY) => Goal::AtLeast(3.0),
        (Host::Server { .. }, MANY) => Goal::AtLeast(1.0),
        _ => Goal::None,
    }
}

pub(crate) fn per_second(seen: &LoadReport) -> f64 {
    seen.per_second
}

fn p99(seen: &LoadReport) -> f64 {
    seen.p99.as_secs_f64() * 1e6
}

pub(crate) fn figures(rounds: &[[LoadReport; 2]], figure: fn(&LoadReport) -> f64) -> Vec<[f64; 2]> {
    rounds.iter().map(|round| round.each_ref().map(figure)).collect()
}

/// Measures both, one after the other; the order alternates between rounds.
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

/// Measures two servers in fresh processes.
fn rounds(
    host: &Host,
    settings: &Settings,
    callers: u32,
    two: [(Contender, RequestKind); 2],
) -> Outcome<Vec<[LoadReport; 2]>> {
    let mut seen = Vec::new();
    for round in 1..=settings.rounds {
        let one = |(contender, ask): (Contender, RequestKind)| one(host, contender, ask, callers, settings.length);
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

fn one(host: &Host, contender: Contender, ask: RequestKind, callers: u32, length: Duration) -> Outcome<LoadReport> {
    let database = host.database()?;
    let server = contender.start(&database)?;
    load::start(&server, ask, callers, Until::Time(length))
}
