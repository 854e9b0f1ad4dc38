//! Latency of a 202 when many slow provisions run concurrently, compared with a handler that only sleeps for that time.

use std::time::{Duration, Instant};

use maitre_bench_support::Outcome;
use maitre_bench_support::requests::{PASSWORD, SALT, USER};
use maitre_bench_support::serve::{Threads, runtime};
use maitre_bench_support::table::{Goal, Row, Table};
use maitre_testkit::platform::{Install, Platform, State};
use maitre_testkit::{Heroku, Reply};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::contender::Contender;
use crate::databases::Host;
use crate::settings::Settings;
use crate::slow_app::{ASYNC_AFTER, CLIENT_SECRET};
use crate::throughput::in_turn;

/// Allowed p99 latency after the asynchronous answer is due.
const LATE: Duration = Duration::from_millis(250);

/// Timeout of the benchmark.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) fn measure(host: &Host, settings: &Settings, orders: usize) -> Outcome<()> {
    let mut rounds = Vec::new();
    for round in 1..=settings.rounds {
        let one = |contender| one(host, contender, orders);
        let both = in_turn(round, || one(Contender::Slow), || one(Contender::Sleeps))?;
        let [slow, sleeps] = both.map(milliseconds);
        eprintln!("round {round} of {}: p99 {slow:.0} ms, of the one that sleeps {sleeps:.0} ms", settings.rounds);
        rounds.push(both);
    }
    let late = |took: Duration| milliseconds(took.saturating_sub(ASYNC_AFTER));
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

/// Sends all provisions concurrently to a server of its own, and waits until each was reported to Heroku as completed.
fn one(host: &Host, contender: Contender, orders: usize) -> Outcome<Duration> {
    let database = host.database()?;
    runtime(Threads::Many)?.block_on(async {
        let heroku = Platform::builder(USER, PASSWORD, CLIENT_SECRET)
            .settings(|settings| settings.rate_limit = u32::MAX)
            .build();
        let api = heroku.serve().await?;
        let server = contender.start_with(&database.url, api.url())?;
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
        if contender == Contender::Slow {
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

/// Waits until every accepted provision has completed.
async fn all_done(heroku: &Platform, installs: &[Install]) -> Outcome<()> {
    let end = Instant::now() + PATIENCE;
    while installs.iter().any(|install| install.state() != State::Provisioned) {
        if Instant::now() >= end {
            return Err(format!("not all were provisioned: {:?}", heroku.call_counts()).into());
        }
        sleep(Duration::from_millis(50)).await;
    }
    match heroku.violations().first() {
        Some(violation) => Err(format!("{violation:?}").into()),
        None => Ok(()),
    }
}
