//! Random schedules of requests, duplicates, pauses, disconnects and crashes: one uuid is one resource.

use std::time::Duration;

use maitre_core::{Backend, FailureKind};
use maitre_ledger::{Ledger, LedgerBuilder, OperationState, State};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sqlx::Row;
use tokio::task::JoinHandle;

use super::support::{
    Act, Answer, Database, LEASE, RunningWorker, SimulatedProcess, Vendor, basic, bind, deprovision, key,
    short_or_long, soon, unbind, until, update,
};

/// Number of schedules that run concurrently.
const CONCURRENT: usize = 8;

const PROCESSES: usize = 2;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// The marketplace sends a provision to a process.
    Provision(usize),
    /// The marketplace sends a deprovision to a process.
    Deprovision(usize),
    Bind(usize),
    Unbind(usize),
    Update(usize),
    Pause(u64),
    /// The first waiting caller disconnects: the reply is lost.
    Disconnect,
    /// A process is killed and replaced.
    Kill(usize),
    /// The vendor's next call fails before its work.
    Fail,
    LoseReply,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..PROCESSES).prop_map(Step::Provision),
        1 => (0..PROCESSES).prop_map(Step::Deprovision),
        2 => (0..PROCESSES).prop_map(Step::Bind),
        1 => (0..PROCESSES).prop_map(Step::Unbind),
        1 => (0..PROCESSES).prop_map(Step::Update),
        4 => (0..12_u64).prop_map(Step::Pause),
        2 => Just(Step::Disconnect),
        1 => (0..PROCESSES).prop_map(Step::Kill),
        1 => Just(Step::Fail),
        1 => Just(Step::LoseReply),
    ]
}

/// Retries without limit: with so many processes on one machine, high load can already cost a lease.
fn options(database: &Database) -> LedgerBuilder {
    database
        .options()
        .lease_duration(LEASE)
        .connections(2)
        .max_attempts(10_000)
        .backoff(Duration::from_millis(1), Duration::from_millis(50))
}

/// Process with its own connections; killing it ends all its tasks.
struct AppProcess {
    process: SimulatedProcess,
    ledger: Ledger,
    vendor: Vendor,
}

impl AppProcess {
    async fn open(database: &Database, script: &Vendor) -> Self {
        let process = SimulatedProcess::start();
        let (options, database, script) = (options(database), database.handle(), script.clone());
        let opened = process.spawn(async move {
            let ledger = options.open().await.expect("a ledger");
            (ledger, script.with_pool(database.pool().await))
        });
        let (ledger, vendor) = soon("a process starts", opened).await.expect("a process");
        Self { process, ledger, vendor }
    }

    /// Sends the request of a step.
    fn call(&self, step: Step, key: String) -> JoinHandle<Answer> {
        let listener = self.ledger.wrap(self.vendor.clone());
        self.process.spawn(async move {
            match step {
                Step::Deprovision(_) => listener.deprovision(deprovision(&key)).await.into(),
                Step::Bind(_) => listener.bind(bind(&key, "b-1")).await.into(),
                Step::Unbind(_) => listener.unbind(unbind(&key, "b-1")).await.into(),
                Step::Update(_) => listener.update(update(&key, "large")).await.into(),
                _ => listener.provision(basic(&key)).await.into(),
            }
        })
    }
}

/// Runs one schedule and asserts its result.
async fn run_schedule(database: &Database, steps: &[Step]) {
    let mut vendor = Vendor::new(database.pool().await).await;
    (vendor.work, vendor.separate) = (Duration::from_millis(3), true);
    let key = key();
    let calls = run_steps(database, &vendor, &key, steps).await;
    let mut answers = Answers::default();
    let mut is_lost = false;
    for (step, call) in calls {
        match soon("a call", call).await {
            Ok(answer) => answers.add(step, answer),
            Err(_) => is_lost = true, // with its caller or process
        }
    }
    if is_lost {
        // the thread of a simulated process may still record the request, unlike that of a real one
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let ledger = options(database).open().await.expect("a ledger");
    let worker = RunningWorker::start(&ledger, &vendor);
    until("all operations are finished", || async {
        let resource = ledger.resource(&key).await.expect("the records");
        resource
            .is_none_or(|resource| resource.timeline.iter().all(|operation| operation.state != OperationState::Open))
    })
    .await;
    drop(worker);
    assert_consistent(&ledger, &vendor, &key, steps, answers).await;
    ledger.close().await;
}

/// Calls of a schedule with their steps.
type Calls = Vec<(Step, JoinHandle<Answer>)>;

/// Runs the steps. At the end all processes are killed.
async fn run_steps(database: &Database, vendor: &Vendor, key: &str, steps: &[Step]) -> Calls {
    let mut processes = Vec::new();
    for _ in 0..PROCESSES {
        processes.push(AppProcess::open(database, vendor).await);
    }
    let mut calls = Calls::new();
    for step in steps {
        match *step {
            Step::Provision(index)
            | Step::Deprovision(index)
            | Step::Bind(index)
            | Step::Unbind(index)
            | Step::Update(index) => calls.push((*step, processes[index].call(*step, key.to_owned()))),
            Step::Pause(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            Step::Disconnect => {
                if let Some((_, call)) = calls.iter().find(|(_, call)| !call.is_finished()) {
                    call.abort();
                }
            }
            Step::Kill(index) => {
                let killed = std::mem::replace(&mut processes[index], AppProcess::open(database, vendor).await);
                killed.process.kill();
            }
            Step::Fail => vendor.script(key, [Act::Fail("a temporary failure")]),
            Step::LoseReply => vendor.script(key, [Act::FailAfter("reply lost")]),
        }
    }
    calls
}

/// Answers of a schedule.
#[derive(Default)]
struct Answers {
    provisioned: Vec<Answer>,
    deprovisioned: bool,
    bound: Vec<Answer>,
    unbound: bool,
    resized: bool,
}

impl Answers {
    fn add(&mut self, step: Step, answer: Answer) {
        let is_gone = matches!(answer, Answer::Done(_) | Answer::Failed(FailureKind::Gone));
        match step {
            Step::Provision(_) if answer.is_done() => self.provisioned.push(answer),
            Step::Bind(_) if answer.is_done() => self.bound.push(answer),
            Step::Deprovision(_) => self.deprovisioned |= is_gone,
            Step::Unbind(_) => self.unbound |= is_gone,
            Step::Update(_) => self.resized |= answer.is_done(),
            _ => {} // refused or postponed
        }
    }
}

/// Asserts that what was answered is what the vendor has, and that no call ran twice.
async fn assert_consistent(ledger: &Ledger, vendor: &Vendor, key: &str, steps: &[Step], mut answers: Answers) {
    let resource = ledger.resource(key).await.expect("the records");
    let state = resource.as_ref().map(|resource| resource.state);
    let exists = vendor.widget(key).await.is_some();
    assert_eq!(exists, state == Some(State::Provisioned), "orphaned or lost: {resource:#?}");
    assert!(!(answers.deprovisioned && exists), "provisioned after its deprovision: {resource:#?}");
    let has = |step: fn(&Step) -> bool| steps.iter().any(step);
    if !answers.provisioned.is_empty() && !has(|step| matches!(step, Step::Deprovision(_))) {
        assert!(exists, "answered but missing: {resource:#?}");
    }
    let credentials = vendor.credentials(key).await;
    assert!(exists || credentials.is_empty(), "credentials of a removed resource: {resource:#?}");
    assert!(!answers.unbound || credentials.is_empty(), "bound after its unbind: {resource:#?}");
    if !answers.bound.is_empty() && !has(|step| matches!(step, Step::Unbind(_))) && exists {
        assert_eq!(credentials, ["b-1"], "answered but missing: {resource:#?}");
    }
    if answers.resized && exists {
        assert_eq!(vendor.size(key).await.as_deref(), Some("large"), "answered but lost: {resource:#?}");
    }
    for replies in [&mut answers.provisioned, &mut answers.bound] {
        replies.dedup();
        assert!(replies.len() <= 1, "two different replies: {replies:?}");
    }
    let duplicates = sqlx::query("SELECT CAST(count(*) AS BIGINT) FROM duplicates WHERE resource = $1").bind(key);
    let duplicates: i64 = sqlx::Executor::fetch_one(&vendor.pool, duplicates).await.expect("duplicates").get(0);
    assert_eq!(duplicates, 0, "two concurrent calls made it");
    let mut fences: Vec<_> = vendor.calls(key).await.into_iter().map(|call| call.fence).collect();
    let runs = fences.len();
    fences.sort_unstable();
    fences.dedup();
    assert_eq!(fences.len(), runs, "two executions with one fencing token");
}

/// Runs schedules on a thread with its own connections.
fn run_schedules(url: &str, seed: u8, schedules: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Config { cases: schedules, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let schedules = proptest::collection::vec(step(), 1..14);
    let result = runner.run(&schedules, |steps| {
        let database = Database::at(url);
        runtime.block_on(run_schedule(&database, &steps));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

on_both_databases! {
    async fn any_schedule_ends_with_one_resource_or_none(database: Database) {
        database.migrated().await;
        Vendor::new(database.pool().await).await;
        let schedules = short_or_long(64, 10_000).div_ceil(CONCURRENT);
        let threads: Vec<_> = (0..CONCURRENT)
            .map(|number| {
                let url = database.url.clone();
                let schedules = u32::try_from(schedules).expect("a number of schedules");
                std::thread::spawn(move || run_schedules(&url, u8::try_from(number).expect("a seed"), schedules))
            })
            .collect();
        let result = tokio::task::spawn_blocking(move || {
            threads.into_iter().map(std::thread::JoinHandle::join).collect::<Result<Vec<_>, _>>()
        });
        if let Err(panic) = result.await.expect("the threads") {
            std::panic::resume_unwind(panic);
        }
    }
}
