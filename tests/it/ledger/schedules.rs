//! Random schedules of requests, duplicates, pauses, disconnects and crashes: one uuid is one resource.

use std::time::Duration;

use maitre_core::{Backend, FailureKind};
use maitre_ledger::{Ledger, LedgerBuilder, OperationState, State};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sqlx::Row;
use tokio::task::JoinHandle;

use super::support::{
    Act, Answer, Database, LEASE, Process, Vendor, Working, basic, key, remove, short_or_long, soon, until,
};

/// Number of schedules that run concurrently.
const AT_ONCE: usize = 8;

const PROCESSES: usize = 2;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// The marketplace sends a provision to a process.
    Provision(usize),
    /// The marketplace sends a deprovision to a process.
    Remove(usize),
    Pause(u64),
    /// The first waiting caller disconnects: the reply is lost.
    HangUp,
    /// A process is killed and replaced.
    Kill(usize),
    /// The vendor's next call fails before its work.
    Fail,
    LoseReply,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..PROCESSES).prop_map(Step::Provision),
        1 => (0..PROCESSES).prop_map(Step::Remove),
        4 => (0..12_u64).prop_map(Step::Pause),
        2 => Just(Step::HangUp),
        1 => (0..PROCESSES).prop_map(Step::Kill),
        1 => Just(Step::Fail),
        1 => Just(Step::LoseReply),
    ]
}

/// Retries without limit: with so many processes on one machine, load alone may cost a lease.
fn options(database: &Database) -> LedgerBuilder {
    database
        .options()
        .lease_duration(LEASE)
        .connections(2)
        .max_attempts(10_000)
        .backoff(Duration::from_millis(1), Duration::from_millis(50))
}

/// Process with its own connections; killing it ends all its tasks.
struct House {
    process: Process,
    ledger: Ledger,
    vendor: Vendor,
}

impl House {
    async fn open(database: &Database, script: &Vendor) -> Self {
        let process = Process::start();
        let (options, way, script) = (options(database), database.way(), script.clone());
        let opened = process.spawn(async move {
            let ledger = options.open().await.expect("a ledger");
            (ledger, script.over(way.pool().await))
        });
        let (ledger, vendor) = soon("a process starts", opened).await.expect("a process");
        Self { process, ledger, vendor }
    }
}

/// Runs one schedule and asserts its result.
async fn play(database: &Database, steps: &[Step]) {
    let mut vendor = Vendor::new(database.pool().await).await;
    vendor.work = Duration::from_millis(3);
    let key = key();
    let mut houses = Vec::new();
    for _ in 0..PROCESSES {
        houses.push(House::open(database, &vendor).await);
    }
    let mut calls: Vec<(bool, JoinHandle<Answer>)> = Vec::new();
    for step in steps {
        match *step {
            Step::Provision(place) => {
                let kept = houses[place].ledger.wrap(houses[place].vendor.clone());
                let request = basic(&key);
                let call = houses[place].process.spawn(async move { Answer::from(kept.provision(request).await) });
                calls.push((true, call));
            }
            Step::Remove(place) => {
                let kept = houses[place].ledger.wrap(houses[place].vendor.clone());
                let request = remove(&key);
                let call = houses[place].process.spawn(async move { Answer::from(kept.deprovision(request).await) });
                calls.push((false, call));
            }
            Step::Pause(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            Step::HangUp => {
                if let Some((_, call)) = calls.iter().find(|(_, call)| !call.is_finished()) {
                    call.abort();
                }
            }
            Step::Kill(place) => {
                let killed = std::mem::replace(&mut houses[place], House::open(database, &vendor).await);
                killed.process.kill();
            }
            Step::Fail => vendor.tell(&key, [Act::Fail("a hiccup")]),
            Step::LoseReply => vendor.tell(&key, [Act::FailAfter("a lost answer")]),
        }
    }
    let mut provisioned = Vec::new();
    let mut removed = false;
    for (provision, call) in calls {
        match soon("a call", call).await {
            Ok(answer @ Answer::Done(_)) if provision => provisioned.push(answer),
            Ok(Answer::Done(_) | Answer::Failed(FailureKind::Gone)) if !provision => removed = true,
            _ => {} // refused, postponed, or lost with its caller or process
        }
    }

    let ledger = options(database).open().await.expect("a ledger");
    let working = Working::start(&ledger, &vendor);
    until("all is done", || async {
        let resource = ledger.resource(&key).await.expect("the records");
        resource
            .is_none_or(|resource| resource.timeline.iter().all(|operation| operation.state != OperationState::Open))
    })
    .await;
    drop(working);
    let resource = ledger.resource(&key).await.expect("the records");
    let state = resource.as_ref().map(|resource| resource.state);
    let there = vendor.widget(&key).await.is_some();
    assert_eq!(there, state == Some(State::Provisioned), "an orphan, or lost: {resource:#?}");
    if removed {
        assert!(!there, "it came back: {resource:#?}");
    }
    let asked_to_remove = steps.iter().any(|step| matches!(step, Step::Remove(_)));
    if !provisioned.is_empty() && !asked_to_remove {
        assert!(there, "answered, and not there: {resource:#?}");
    }
    provisioned.dedup();
    assert!(provisioned.len() <= 1, "two answers: {provisioned:?}");
    let doubles = sqlx::query("SELECT CAST(count(*) AS BIGINT) FROM doubles WHERE resource = $1").bind(&key);
    let doubles: i64 = sqlx::Executor::fetch_one(&vendor.pool, doubles).await.expect("doubles").get(0);
    assert_eq!(doubles, 0, "two calls made it side by side");
    let mut fences: Vec<_> = vendor.calls(&key).await.into_iter().map(|call| call.fence).collect();
    let runs = fences.len();
    fences.sort_unstable();
    fences.dedup();
    assert_eq!(fences.len(), runs, "two runs under one fence");
    ledger.close().await;
}

/// Runs schedules on a thread with its own connections.
fn player(url: &str, seed: u8, schedules: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Config { cases: schedules, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let schedules = proptest::collection::vec(step(), 1..14);
    let played = runner.run(&schedules, |steps| {
        let database = Database::at(url);
        runtime.block_on(play(&database, &steps));
        Ok(())
    });
    if let Err(error) = played {
        panic!("{error}");
    }
}

on_both_databases! {
    async fn any_schedule_ends_with_one_resource_or_none(database: Database) {
        database.migrated().await;
        Vendor::new(database.pool().await).await;
        let schedules = short_or_long(64, 10_000).div_ceil(AT_ONCE);
        let players: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                let url = database.url.clone();
                let schedules = u32::try_from(schedules).expect("a number of schedules");
                std::thread::spawn(move || player(&url, u8::try_from(number).expect("a seed"), schedules))
            })
            .collect();
        let played = tokio::task::spawn_blocking(move || {
            players.into_iter().map(std::thread::JoinHandle::join).collect::<Result<Vec<_>, _>>()
        });
        if let Err(panic) = played.await.expect("the players") {
            std::panic::resume_unwind(panic);
        }
    }
}
