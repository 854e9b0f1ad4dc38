//! Billing by processes that are killed (SIGKILL) while they meter usage and submit invoices; the invoices are counted at
//! Vercel.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre::backend::Backend;
use maitre::platforms::vercel::{Amount, Client, Period, Platform as Api, StatementState, Usage, connect};
use maitre::{AccountId, Addon, Ledger, OpenAccount, Vercel};
use maitre_testkit::vercel::{Installation, Platform, PlatformServer};
use time::OffsetDateTime;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{CLIENT_SECRET, INTEGRATION, catalog};
use crate::ledger::support::{
    ChildProcess, Database, LEASE, RandomNumbers, serve_commands, short_or_long, soon, until,
};
use crate::support::Vendor;

const DATABASE: &str = "MAITRE_TEST_BILLING_DATABASE";
const API: &str = "MAITRE_TEST_BILLING_API";

/// Processes on one database.
const PROCESSES: usize = 3;

/// Teams whose resources are billed; each has many periods.
const INSTALLATIONS: usize = 40;

/// Callers that meter and close periods concurrently.
const CALLERS: usize = 8;

/// Price of one unit in cents.
const CENTS: u64 = 7;

/// Not a test on its own: runs in the processes that the other tests start.
#[test]
fn child_process() {
    let (Ok(database), Ok(api)) = (std::env::var(DATABASE), std::env::var(API)) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(serve(&Database::at(&database), &api));
    runtime.shutdown_background();
}

/// Opens the ledger with times that suit processes that often die.
async fn open(database: &Database) -> Ledger {
    let options = database.options().lease_duration(LEASE).max_attempts(10_000).connections(4);
    options.backoff(Duration::from_millis(1), Duration::from_millis(50)).open().await.expect("a ledger")
}

fn platform(api: &str, ledger: &Ledger) -> Api {
    let http = connect().url(api).no_proxy().backoff(Duration::from_millis(1), Duration::from_millis(5));
    let client = Client::new(INTEGRATION, CLIENT_SECRET, http.build().expect("a client")).expect("a secret");
    Api::builder(client, ledger.store()).build()
}

async fn serve(database: &Database, api: &str) {
    let ledger = open(database).await;
    let platform = platform(api, &ledger);
    let vercel = Vercel::new(INTEGRATION, CLIENT_SECRET, catalog()).expect("settings");
    let addon = Addon::new(vercel, ledger.wrap(Vendor::default()).with_platform(platform.clone()));
    let worker = ledger.worker([addon]).poll_interval(Duration::from_millis(5));
    drop(tokio::spawn(worker.run(std::future::pending())));
    serve_commands(|words| {
        let platform = platform.clone();
        async move {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let result = match words[..] {
                ["meter", installation, run, resource, quantity] => {
                    let quantity = quantity.parse().expect("a quantity");
                    let usage = Usage::new(resource, "basic", "Requests", Amount::from_cents(CENTS), quantity, "1,000");
                    platform.meter(&installation.into(), period(run.parse().expect("a number")), usage).await
                }
                ["close", installation, run] => {
                    platform.close_period(&installation.into(), period(run.parse().expect("a number")), false).await
                }
                _ => return format!("unknown command: {words:?}"),
            };
            result.map_or_else(|error| error.to_string(), |()| "done".to_owned())
        }
    })
    .await;
}

/// Returns the period of a run, which has not ended: it is closed explicitly.
fn period(run: i64) -> Period {
    let start = OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(run);
    Period::new(start, start + time::Duration::days(365 * 200))
}

struct Fleet {
    database: Database,
    vercel: Platform,
    serving: PlatformServer,
    installations: Vec<Installation>,
    processes: Vec<Mutex<Arc<ChildProcess>>>,
    /// Runs that have begun, and their number at the end.
    begun: AtomicUsize,
    runs: usize,
    metered: AtomicUsize,
    /// Commands that were completed.
    answered: AtomicUsize,
    stopping: AtomicBool,
}

impl Fleet {
    async fn start(database: Database, runs: usize) -> Arc<Self> {
        database.migrated().await;
        let vercel = Platform::new(INTEGRATION, CLIENT_SECRET);
        let serving = vercel.serve().await.expect("a port");
        let ledger = open(&database).await;
        let listener = ledger.wrap(Vendor::default());
        let mut installations = Vec::new();
        for _ in 0..INSTALLATIONS {
            let installation = vercel.new_installation();
            let mut request = OpenAccount::new(platform(serving.url(), &ledger).addon().clone(), installation.id());
            request.credentials = Some(installation.access_token().into());
            listener.open_account(request).await.expect("an account");
            installations.push(installation);
        }
        ledger.close().await;
        let mut processes = Vec::new();
        for _ in 0..PROCESSES {
            processes.push(Mutex::new(child(&database, serving.url()).await));
        }
        let (begun, metered, answered) = (AtomicUsize::default(), AtomicUsize::default(), AtomicUsize::default());
        let stopping = AtomicBool::default();
        Arc::new(Self { database, vercel, serving, installations, processes, begun, runs, metered, answered, stopping })
    }

    fn process(&self, index: usize) -> Arc<ChildProcess> {
        self.processes[index].lock().expect("a process").clone()
    }

    /// Sends a command to random processes until one completes it.
    async fn send(&self, numbers: &mut RandomNumbers, command: &str) {
        let end = Instant::now() + crate::ledger::support::DEADLINE;
        while self.process(numbers.below(PROCESSES)).send(command).await.as_deref() != Some("done") {
            assert!(Instant::now() < end, "never done: {command}");
            sleep(Duration::from_millis(2)).await;
        }
        self.answered.fetch_add(1, Ordering::SeqCst);
    }

    /// Meters and closes periods until all runs have begun.
    async fn call(self: Arc<Self>, mut numbers: RandomNumbers) {
        loop {
            let run = self.begun.fetch_add(1, Ordering::SeqCst);
            if run >= self.runs {
                return;
            }
            let installation = self.installations[run % INSTALLATIONS].id();
            for resource in ["ltn_1", "ltn_2"] {
                let most = 2 + numbers.below(40);
                for quantity in [most / 2, most] {
                    self.send(&mut numbers, &format!("meter {installation} {run} {resource} {quantity}")).await;
                }
                self.metered.fetch_add(most, Ordering::SeqCst);
            }
            self.send(&mut numbers, &format!("close {installation} {run}")).await;
        }
    }

    /// Kills a process again and again, after some progress: at random times, or just after an invoice was received. Returns
    /// the number of kills.
    async fn kill(self: Arc<Self>, index: usize, mut numbers: RandomNumbers) -> usize {
        let mut kills = 0;
        loop {
            let wanted = self.answered.load(Ordering::SeqCst) + 5 + numbers.below(60);
            let invoices = if numbers.one_in(2) { usize::MAX } else { self.vercel.invoice_count() + numbers.below(8) };
            while self.answered.load(Ordering::SeqCst) < wanted && self.vercel.invoice_count() <= invoices {
                if self.stopping.load(Ordering::SeqCst) {
                    return kills;
                }
                sleep(Duration::from_millis(1)).await;
            }
            sleep(Duration::from_millis(numbers.below(20) as u64)).await;
            self.process(index).signal("KILL").await;
            kills += 1;
            let new = child(&self.database, self.serving.url()).await;
            *self.processes[index].lock().expect("a process") = new;
        }
    }
}

async fn child(database: &Database, api: &str) -> Arc<ChildProcess> {
    ChildProcess::start("vercel::billing_processes::child_process", &[(DATABASE, &database.url), (API, api)]).await
}

on_both_databases! {
    async fn killed_processes_bill_what_was_metered_once(database: Database) {
        let runs = short_or_long(60, 10_000);
        let fleet = Fleet::start(database, runs).await;
        let mut numbers = RandomNumbers::seeded(23);
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            callers.spawn(fleet.clone().call(numbers.fork()));
        }
        let killers: Vec<_> = (0..PROCESSES).map(|index| tokio::spawn(fleet.clone().kill(index, numbers.fork()))).collect();
        while let Some(ended) = callers.join_next().await {
            ended.expect("a caller");
        }
        until("all invoices are sent", || async { fleet.vercel.invoice_count() >= runs }).await;
        fleet.stopping.store(true, Ordering::SeqCst);
        let mut kills = 0;
        for killer in killers {
            kills += soon("a killer", killer).await.expect("a killer");
        }

        let ledger = open(&fleet.database).await;
        let platform = platform(fleet.serving.url(), &ledger);
        for run in 0..runs {
            let account = AccountId::from(fleet.installations[run % INSTALLATIONS].id());
            let period = period(i64::try_from(run).expect("a small number"));
            // the process that has sent it may have died before it recorded that
            until("the statement is sent", || async {
                let statement = platform.statement(&account, period).await;
                statement.is_ok_and(|statement| statement.is_some_and(|it| it.state == StatementState::Sent))
            })
            .await;
        }
        let (mut reported, mut invoices) = (0, 0);
        for installation in &fleet.installations {
            let sent = fleet.vercel.invoices(installation);
            let periods: HashSet<_> = sent.iter().map(|invoice| invoice.submitted["period"].to_string()).collect();
            assert_eq!(periods.len(), sent.len(), "a period was billed twice");
            invoices += sent.len();
            reported += sent.iter().map(|invoice| u64::try_from(invoice.total_cents()).unwrap_or_default()).sum::<u64>();
        }
        let metered = fleet.metered.load(Ordering::SeqCst) as u64 * CENTS;
        let calls = fleet.vercel.calls();
        let again = calls.iter().filter(|call| call.path.ends_with("/billing/invoices") && call.status == 409).count();
        println!("{runs} runs, {kills} kills: {invoices} invoices, {again} sent again, {reported} cents of {metered}");
        assert_eq!((invoices, reported), (runs, metered));
        assert!(kills >= PROCESSES, "{kills} kills");
        assert_eq!(fleet.vercel.problems(), []);
        assert_eq!(ledger.stats().await.unwrap().parked_jobs, 0);
        ledger.close().await;
    }
}
