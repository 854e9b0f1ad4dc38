//! How long a caller waits for a 202 when many provisions are slow at once: beside a handler that only sleeps for as long.

use std::time::{Duration, Instant};

use maitre_testkit::platform::{Install, Platform, State};
use maitre_testkit::{Heroku, Reply};
use maitre_workbench::Outcome;
use maitre_workbench::asks::{PASSWORD, SALT, USER};
use maitre_workbench::serve::{Threads, runtime};
use maitre_workbench::table::{Goal, Row, Table};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::databases::Host;
use crate::desk::Desk;
use crate::settings::Settings;
use crate::throughput::in_turn;

/// When the answer is due.
pub(crate) const GIVE_WAY: Duration = Duration::from_secs(2);

/// How long the work goes on, answered or not.
pub(crate) const WORK: Duration = Duration::from_secs(8);

/// So much later the slowest in a hundred may be answered.
const LATE: Duration = Duration::from_millis(250);

/// After that something is broken.
const PATIENCE: Duration = Duration::from_mins(2);

/// What both know of the partner portal.
pub(crate) const CLIENT_SECRET: &str = "2c9f0e5b7a614d3f8e1b6c0d9a4f7e21";

pub(crate) fn measure(host: &Host, settings: &Settings, orders: usize) -> Outcome<()> {
    let mut rounds = Vec::new();
    for round in 1..=settings.rounds {
        let one = |desk| one(host, desk, orders);
        let both = in_turn(round, || one(Desk::Slow), || one(Desk::Sleeps))?;
        let [slow, sleeps] = both.map(milliseconds);
        eprintln!("round {round} of {}: p99 {slow:.0} ms, of the one that sleeps {sleeps:.0} ms", settings.rounds);
        rounds.push(both);
    }
    let late = |took: Duration| milliseconds(took.saturating_sub(GIVE_WAY));
    let mut table = Table::of("202s", "maitre", "other");
    table.add(Row::of_rounds(
        format!("p99 in ms, {orders} at once, to one that sleeps"),
        &rounds.iter().map(|both| both.map(milliseconds)).collect::<Vec<_>>(),
        Goal::None,
    ));
    table.add(Row::of_rounds(
        "p99 in ms behind the give-way time, to what is allowed",
        &rounds.iter().map(|[slow, _]| [late(*slow), milliseconds(LATE)]).collect::<Vec<_>>(),
        Goal::AtMost(1.0),
    ));
    table.print();
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Orders all at once from a server of its own, and waits until Heroku knows of each that it is done.
fn one(host: &Host, desk: Desk, orders: usize) -> Outcome<Duration> {
    let database = host.database()?;
    runtime(Threads::Many)?.block_on(async {
        let heroku = Platform::builder(USER, PASSWORD, CLIENT_SECRET)
            .settings(|settings| settings.rate_limit = u32::MAX)
            .build();
        let api = heroku.serve().await?;
        let server = desk.start_with(&database.url, api.url())?;
        let market = Heroku::new(&format!("http://127.0.0.1:{}/heroku", server.port), USER, PASSWORD, SALT);
        let installs: Vec<_> = (0..orders).map(|_| heroku.install("basic")).collect();
        let mut asking = JoinSet::new();
        for install in &installs {
            asking.spawn(ask(market.clone(), install.clone()));
        }
        let mut took = Vec::new();
        for asked in asking.join_all().await {
            took.push(asked?);
        }
        if desk == Desk::Slow {
            all_done(&heroku, &installs).await?;
        }
        took.sort();
        Ok(took[(took.len() * 99).div_ceil(100).saturating_sub(1)])
    })
}

async fn ask(market: Heroku, install: Install) -> Result<Duration, String> {
    let call = market.provision("basic").install(&install);
    let began = Instant::now();
    let reply: Reply = call.try_send().await.map_err(|error| error.to_string())?;
    let took = began.elapsed();
    if reply.status() != 202 {
        return Err(format!("not accepted: {reply:?}"));
    }
    install.record_provision(&reply);
    Ok(took)
}

/// A 202 is worth something when it is kept.
async fn all_done(heroku: &Platform, installs: &[Install]) -> Outcome<()> {
    let end = Instant::now() + PATIENCE;
    while installs.iter().any(|install| install.state() != State::Provisioned) {
        if Instant::now() >= end {
            return Err(format!("not all was provisioned: {:?}", heroku.call_counts()).into());
        }
        sleep(Duration::from_millis(50)).await;
    }
    match heroku.violations().first() {
        Some(violation) => Err(format!("{violation:?}").into()),
        None => Ok(()),
    }
}
