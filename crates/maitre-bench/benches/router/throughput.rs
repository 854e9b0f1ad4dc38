//! Throughput and p99 latency, in rounds, so that other load on the machine affects both servers alike.

use std::time::Duration;

use maitre_bench_support::Outcome;
use maitre_bench_support::load::{self, LoadReport, Until};
use maitre_bench_support::requests::RequestKind;
use maitre_bench_support::serve::Threads;
use maitre_bench_support::table::{Goal, Row, Table};

use crate::contender::{Contender, KINDS, start};
use crate::settings::Settings;

const CONNECTIONS: u32 = 64;

pub(crate) fn measure(settings: &Settings, table: &mut Table) -> Outcome<()> {
    if settings.rounds == 0 {
        return Ok(());
    }
    let mut rounds: Vec<Vec<[LoadReport; 2]>> = Vec::new();
    for round in 1..=settings.rounds {
        let seen = KINDS.map(|ask| both(ask, settings.length, round)).into_iter().collect::<Outcome<Vec<_>>>()?;
        for (ask, [maitre, baseline]) in KINDS.iter().zip(&seen) {
            eprintln!(
                "round {round} of {}, {ask}: maitre {:.0}/s, baseline {:.0}/s, ratio {:.3}",
                settings.rounds,
                maitre.per_second,
                baseline.per_second,
                maitre.per_second / baseline.per_second,
            );
        }
        rounds.push(seen);
    }
    for (place, ask) in KINDS.into_iter().enumerate() {
        let of = |figure: fn(&LoadReport) -> f64| -> Vec<[f64; 2]> {
            rounds.iter().map(|round| [figure(&round[place][0]), figure(&round[place][1])]).collect()
        };
        table.add(Row::of_rounds(
            format!("{ask}, requests a second"),
            &of(|seen| seen.per_second),
            Goal::AtLeast(0.95),
        ));
        table.add(Row::of_rounds(format!("{ask}, p99 in µs"), &of(|seen| seen.p99.as_secs_f64() * 1e6), Goal::None));
    }
    Ok(())
}

/// Measures both in fresh processes, one after the other; the order alternates between rounds.
fn both(ask: RequestKind, length: Duration, round: u32) -> Outcome<[LoadReport; 2]> {
    let one = |contender| load::start(&start(contender, Threads::Many)?, ask, CONNECTIONS, Until::Time(length));
    if round % 2 == 1 {
        let maitre = one(Contender::Maitre)?;
        Ok([maitre, one(Contender::Baseline)?])
    } else {
        let baseline = one(Contender::Baseline)?;
        Ok([one(Contender::Maitre)?, baseline])
    }
}
