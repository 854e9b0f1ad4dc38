//! Throughput with a full ledger, and the memory of the process that filled it.

use maitre_bench_support::Outcome;
use maitre_bench_support::load::{self, Until};
use maitre_bench_support::requests::RequestKind;
use maitre_bench_support::table::{Goal, Row, Table};

use crate::contender::Contender;
use crate::databases::Host;
use crate::settings::Settings;
use crate::throughput::{figures, in_turn, per_second};

const CALLERS: u32 = 64;

/// Measurements of the memory while the ledger fills; it must stay at the first one.
const STEPS: u64 = 10;

pub(crate) fn measure(host: &Host, settings: &Settings, resources: u64) -> Outcome<()> {
    let full = host.database()?;
    let server = Contender::Ledger.start(&full)?;
    let mut memory = Vec::new();
    for step in 1..=STEPS {
        let seen = load::start(
            &server,
            RequestKind::Provision,
            CALLERS,
            Until::Requests(resources.div_ceil(STEPS * u64::from(CALLERS))),
        )?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let resident = server.resident()? as f64;
        eprintln!(
            "{} resources: {:.0} provisions a second, {resident:.0} KiB of memory",
            resources * step / STEPS,
            seen.per_second
        );
        memory.push(resident);
    }
    drop(server);
    full.settle()?;

    let mut rounds = [Vec::new(), Vec::new()];
    for round in 1..=settings.rounds {
        for (place, ask) in [RequestKind::Provision, RequestKind::Replay].into_iter().enumerate() {
            let empty = host.database()?;
            let one =
                |database| load::start(&Contender::Ledger.start(database)?, ask, CALLERS, Until::Time(settings.length));
            let both = in_turn(round, || one(&full), || one(&empty))?;
            eprintln!(
                "round {round} of {}, {ask}: ratio {:.3}",
                settings.rounds,
                both[0].per_second / both[1].per_second
            );
            rounds[place].push(both);
        }
    }
    let mut table = Table::of("64 at once", "full", "empty");
    table.add(Row::of_rounds("provisions a second", &figures(&rounds[0], per_second), Goal::AtLeast(0.9)));
    table.add(Row::of_rounds("replays a second", &figures(&rounds[1], per_second), Goal::AtLeast(0.9)));
    let (first, last) = (memory.first().copied().unwrap_or(f64::NAN), memory.last().copied().unwrap_or(f64::NAN));
    table.add(Row::new("KiB of memory, at the end to a tenth of the way", [last, first], Goal::AtMost(1.1)));
    table.print();
    Ok(())
}
