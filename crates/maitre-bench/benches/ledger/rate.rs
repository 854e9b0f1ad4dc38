//! Latency at a fixed number of provisions a second, which neither server has difficulty to serve.

use std::time::Duration;

use maitre_bench_support::Outcome;
use maitre_bench_support::load::{self, LoadReport, Until};
use maitre_bench_support::requests::RequestKind;
use maitre_bench_support::table::{Goal, Row, Table};

use crate::contender::Contender;
use crate::databases::Host;
use crate::settings::Settings;
use crate::throughput::{figures, in_turn, per_second};

/// Connections, as a load balancer keeps them.
const CONNECTIONS: u32 = 32;

/// Compares the ledger with the baseline, on SQLite also with a listener that writes rows for each provision.
pub(crate) fn measure(host: &Host, settings: &Settings, rate: u32) -> Outcome<()> {
    compare(host, settings, rate, Contender::Ledger)?;
    if matches!(host, Host::Disk) {
        compare(host, settings, rate, Contender::SameFile)?;
        compare(host, settings, rate, Contender::OwnFile)?;
    }
    Ok(())
}

fn compare(host: &Host, settings: &Settings, rate: u32, contender: Contender) -> Outcome<()> {
    // a percentile needs more requests than throughput
    let until = Until::Paced { per_second: rate, length: settings.length.max(Duration::from_secs(10)) };
    let mut rounds = Vec::new();
    for round in 1..=settings.rounds {
        let one = |contender: Contender| {
            let database = host.database()?;
            load::start(&contender.start(&database)?, RequestKind::Provision, CONNECTIONS, until)
        };
        let both = in_turn(round, || one(contender), || one(Contender::Baseline))?;
        let [ledger, baseline] = both.each_ref().map(p99);
        eprintln!(
            "round {round} of {}: p99 of {contender} {ledger:.0} µs, of the baseline {baseline:.0} µs",
            settings.rounds
        );
        rounds.push(both);
    }
    let (title, name) = match contender {
        Contender::SameFile => ("the listener writes a row to the ledger's file", "same file"),
        Contender::OwnFile => ("the listener writes a row to a file of its own", "own file"),
        _ => ("provisions at a fixed rate", "ledger"),
    };
    let mut table = Table::of(title, name, "baseline");
    table.add(Row::of_rounds(
        format!("answered a second, of {rate}"),
        &figures(&rounds, per_second),
        Goal::AtLeast(0.99),
    ));
    table.add(Row::of_rounds("median in µs", &figures(&rounds, p50), Goal::None));
    table.add(Row::of_rounds("p99 in µs", &figures(&rounds, p99), Goal::None));
    table.add(Row::of_rounds("longest in µs", &figures(&rounds, longest), Goal::None));
    table.print();
    Ok(())
}

fn microseconds(latency: Duration) -> f64 {
    latency.as_secs_f64() * 1e6
}

fn p50(seen: &LoadReport) -> f64 {
    microseconds(seen.p50)
}

fn p99(seen: &LoadReport) -> f64 {
    microseconds(seen.p99)
}

fn longest(seen: &LoadReport) -> f64 {
    microseconds(seen.max)
}
