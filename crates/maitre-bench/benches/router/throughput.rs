//! Requests a second and the slowest in a hundred, in rounds: what the machine does beside it hits both alike.

use std::time::Duration;

use maitre_workbench::Outcome;
use maitre_workbench::asks::Ask;
use maitre_workbench::load::{self, Seen, Until};
use maitre_workbench::serve::Threads;
use maitre_workbench::table::{Goal, Row, Table};

use crate::desk::{ASKS, Desk, start};
use crate::settings::Settings;

const CONNECTIONS: u32 = 64;

pub(crate) fn measure(settings: &Settings, table: &mut Table) -> Outcome<()> {
    if settings.rounds == 0 {
        return Ok(());
    }
    let mut rounds: Vec<[[Seen; 2]; 2]> = Vec::new();
    for round in 1..=settings.rounds {
        let seen = [both(Ask::Provision, settings.length, round)?, both(Ask::SignOn, settings.length, round)?];
        for (ask, [maitre, by_hand]) in ASKS.iter().zip(&seen) {
            eprintln!(
                "round {round} of {}, {ask}: maitre {:.0}/s, by hand {:.0}/s, ratio {:.3}",
                settings.rounds,
                maitre.per_second,
                by_hand.per_second,
                maitre.per_second / by_hand.per_second,
            );
        }
        rounds.push(seen);
    }
    for (place, ask) in ASKS.into_iter().enumerate() {
        let of = |figure: fn(&Seen) -> f64| -> Vec<[f64; 2]> {
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

/// One after the other in fresh processes; who is first changes from round to round.
fn both(ask: Ask, length: Duration, round: u32) -> Outcome<[Seen; 2]> {
    let one = |desk| load::order(&start(desk, Threads::Many)?, ask, CONNECTIONS, Until::Time(length));
    if round % 2 == 1 {
        let maitre = one(Desk::Maitre)?;
        Ok([maitre, one(Desk::ByHand)?])
    } else {
        let by_hand = one(Desk::ByHand)?;
        Ok([one(Desk::Maitre)?, by_hand])
    }
}
