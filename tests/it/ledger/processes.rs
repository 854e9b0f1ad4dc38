//! Processes and a database server that are killed, stopped and continued; results are counted in the vendor's tables.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use maitre_bench_support::Cluster;
use maitre_core::Backend;
use maitre_ledger::{Ledger, OperationState, State};
use sqlx::{AnyConnection, Connection, Executor, Row};

use super::support::{
    ChildProcess, Database, LEASE, RandomNumbers, Vendor, basic, key, plan_change, serve_if_child, short_or_long, soon,
    start_process, start_process_with_lease, until,
};

/// Not a test on its own: runs in the processes that the other tests start.
#[test]
fn child_process() {
    serve_if_child();
}

/// Processes on one database, and callers that retry on any of them until they get a reply.
struct Fleet {
    children: Vec<Mutex<Arc<ChildProcess>>>,
    answered: AtomicUsize,
    stopping: AtomicBool,
    /// Expected plan of each resource at the end; none if it was deprovisioned.
    expected: Mutex<BTreeMap<String, Option<String>>>,
    /// Expected bindings of each resource at the end.
    bound: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Fleet {
    async fn start(count: usize, database: &Database) -> Arc<Self> {
        Self::start_with_lease(count, database, LEASE).await
    }

    async fn start_with_lease(count: usize, database: &Database, lease: Duration) -> Arc<Self> {
        let mut children = Vec::new();
        for _ in 0..count {
            children.push(Mutex::new(start_process_with_lease(database, lease).await));
        }
        let (answered, stopping) = (AtomicUsize::default(), AtomicBool::default());
        Arc::new(Self { children, answered, stopping, expected: Mutex::default(), bound: Mutex::default() })
    }

    fn child(&self, index: usize) -> Arc<ChildProcess> {
        self.children[index].lock().expect("a child process").clone()
    }

    async fn restart(&self, index: usize, database: &Database) {
        let new = start_process(database).await;
        *self.children[index].lock().expect("a child process") = new;
    }

    /// Sends a command to random processes until one returns a final reply.
    async fn send(&self, numbers: &mut RandomNumbers, command: &str) -> String {
        let end = tokio::time::Instant::now() + super::support::DEADLINE;
        loop {
            let answer = self.child(numbers.below(self.children.len())).send(command).await;
            match answer {
                Some(answer) if answer != "Unavailable" => {
                    self.answered.fetch_add(1, Ordering::SeqCst);
                    return answer;
                }
                _ => tokio::time::sleep(Duration::from_millis(2)).await,
            }
            assert!(tokio::time::Instant::now() < end, "never answered: {command}");
        }
    }

    /// Provisions, changes and deprovisions one resource after another.
    async fn call(self: Arc<Self>, mut numbers: RandomNumbers) {
        while !self.stopping.load(Ordering::SeqCst) {
            let key = key();
            assert_eq!(self.send(&mut numbers, &format!("provision {key}")).await, "done");
            let mut plan = Some("basic".to_owned());
            self.expected.lock().expect("the expected state").insert(key.clone(), plan.clone());
            for _ in 0..numbers.below(3) {
                let to = ["basic", "premium", "gold"][numbers.below(3)];
                assert_eq!(self.send(&mut numbers, &format!("plan {key} {to}")).await, "done");
                plan = Some(to.to_owned());
            }
            let mut bound = Vec::new();
            for binding in ["b-1", "b-2"].into_iter().take(numbers.below(3)) {
                assert_eq!(self.send(&mut numbers, &format!("bind {key} {binding}")).await, "done");
                if numbers.one_in(2) {
                    let answer = self.send(&mut numbers, &format!("unbind {key} {binding}")).await;
                    assert!(matches!(answer.as_str(), "done" | "Gone"), "{answer}");
                } else {
                    bound.push(binding.to_owned());
                }
            }
            if numbers.one_in(2) {
                let size = ["small", "large"][numbers.below(2)];
                assert_eq!(self.send(&mut numbers, &format!("update {key} {size}")).await, "done");
            }
            if numbers.one_in(3) {
                let answer = self.send(&mut numbers, &format!("deprovision {key}")).await;
                // the reply to the first request may have been lost with its process
                assert!(matches!(answer.as_str(), "done" | "Gone"), "{answer}");
                (plan, bound) = (None, Vec::new());
            }
            self.bound.lock().expect("the expected bindings").insert(key.clone(), bound);
            self.expected.lock().expect("the expected state").insert(key, plan);
        }
    }

    /// Waits until this many more requests were answered.
    async fn answers(&self, more: usize) {
        let wanted = self.answered.load(Ordering::SeqCst) + more;
        until("the requests are answered", || async { self.answered.load(Ordering::SeqCst) >= wanted }).await;
    }
}

/// Waits for the remaining work and asserts that nothing was lost, duplicated or made without a request.
async fn assert_consistent(ledger: &Ledger, vendor: &Vendor, fleet: &Fleet) {
    until("all operations are finished", || async {
        ledger.stats().await.is_ok_and(|stats| stats.open_operations == 0)
    })
    .await;
    let parked = ledger.parked_operations().await.expect("the parked operations");
    assert!(parked.is_empty(), "{parked:#?}");
    let expected = fleet.expected.lock().expect("the expected state").clone();
    let widgets = vendor.pool.fetch_all("SELECT resource, plan FROM widgets").await.expect("widgets");
    let widgets: BTreeMap<String, String> = widgets.iter().map(|row| (row.get(0), row.get(1))).collect();
    let wanted: BTreeMap<_, _> = expected.iter().filter_map(|(key, plan)| Some((key.clone(), plan.clone()?))).collect();
    assert_eq!(widgets, wanted, "lost, orphaned or on the wrong plan");
    assert_eq!(vendor.duplicates().await, 0);
    let bound = fleet.bound.lock().expect("the expected bindings").clone();
    for (key, bound) in bound {
        assert_eq!(vendor.credentials(&key).await, bound, "lost or orphaned credentials of {key}");
    }
    let calls = vendor.pool.fetch_all("SELECT resource, fence FROM calls").await.expect("calls");
    let mut runs = HashSet::new();
    for row in &calls {
        let run: (String, i64) = (row.get(0), row.get(1));
        assert!(runs.insert(run.clone()), "two executions with one fencing token: {run:?}");
    }
    for (key, plan) in expected {
        let resource = ledger.resource(&key).await.unwrap().expect("a resource");
        let state = if plan.is_some() { State::Provisioned } else { State::Deprovisioned };
        assert_eq!((resource.state, resource.plan.filter(|_| plan.is_some())), (state, plan), "{key}");
    }
}

on_both_databases! {
    async fn no_operation_is_lost_when_processes_are_killed(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let fleet = Fleet::start(3, &database).await;
        let mut numbers = RandomNumbers::seeded(11);
        let callers: Vec<_> = (0..8).map(|_| tokio::spawn(fleet.clone().call(numbers.fork()))).collect();
        for _ in 0..short_or_long(20, 500) {
            fleet.answers(1 + numbers.below(20)).await;
            let index = numbers.below(3);
            fleet.child(index).signal("KILL").await;
            fleet.restart(index, &database).await;
        }
        fleet.stopping.store(true, Ordering::SeqCst);
        for caller in callers {
            soon("a caller", caller).await.expect("a caller");
        }
        assert_consistent(&ledger, &vendor, &fleet).await;
    }

    async fn a_process_stopped_past_its_lease_writes_nothing(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let fleet = Fleet::start(2, &database).await;
        let (late, quick) = (fleet.child(0), fleet.child(1));
        for _ in 0..short_or_long(3, 200) {
            let key = key();
            let command = |what: &str| format!("{what} {key}");
            assert_eq!(quick.send(&command("provision")).await.as_deref(), Some("done"));
            assert_eq!(late.send(&command("gate")).await.as_deref(), Some("done"));
            let changing = tokio::spawn({
                let (late, command) = (late.clone(), format!("plan {key} premium"));
                async move { late.send(&command).await }
            });
            assert_eq!(
                soon("the call reaches the listener", late.send(&command("entered"))).await.as_deref(),
                Some("done")
            );
            stop(&late, &database).await;
            // the other process takes the operation over when the lease expires, and then runs the next one
            for to in ["premium", "gold"] {
                let answer = soon("another process takes over", quick.send(&format!("plan {key} {to}"))).await;
                assert_eq!(answer.as_deref(), Some("done"), "{to}");
            }
            // the pipe buffers the command until the process continues
            let opening = tokio::spawn({
                let (late, command) = (late.clone(), command("open"));
                async move { late.send(&command).await }
            });
            late.signal("CONT").await;
            assert_eq!(soon("the gate opens", opening).await.unwrap().as_deref(), Some("done"));
            let wrote = soon("the late work ends", late.send(&command("wrote"))).await;
            assert_eq!(wrote.as_deref(), Some("Some(false)"), "the vendor's tables accepted a late write");
            soon("the late answer", changing).await.unwrap();
            assert_eq!(vendor.widget(&key).await.as_deref(), Some("gold"));
            let resource = ledger.resource(&key).await.unwrap().expect("a resource");
            assert_eq!((resource.state, resource.plan.as_deref()), (State::Provisioned, Some("gold")));
            assert!(
                resource.timeline.iter().all(|operation| operation.state == OperationState::Completed),
                "{resource:#?}"
            );
            let fences: Vec<_> = vendor.calls(&key).await.into_iter().map(|call| call.fence).collect();
            assert_eq!(fences.len(), 4);
            assert!(fences.is_sorted_by(|one, next| one < next), "fencing tokens must grow: {fences:?}");
        }
    }
}

/// A process stopped within a transaction blocks others only until the server ends the transaction.
#[tokio::test]
async fn an_idle_transaction_is_ended_by_the_server() {
    let Some(database) = Database::postgres().await else { return };
    let ledger = database.ledger().await;
    let vendor = Vendor::new(database.pool().await).await;
    for statement in [
        "CREATE TABLE bounds (idle TEXT, lock TEXT)",
        "CREATE FUNCTION bound() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO bounds VALUES (current_setting('idle_in_transaction_session_timeout'), current_setting('lock_timeout'));
         RETURN NEW; END $$",
        "CREATE TRIGGER bound BEFORE UPDATE ON maitre_resources FOR EACH ROW WHEN (NEW.state = 'changing_plan')
         EXECUTE FUNCTION bound()",
    ] {
        vendor.pool.execute(statement).await.expect("a trigger");
    }
    let (listener, key) = (ledger.wrap(vendor.clone()), key());
    listener.provision(basic(&key)).await.expect("a widget");
    listener.plan_change(plan_change(&key, "premium")).await.expect("a plan change");
    let row = vendor.pool.fetch_one("SELECT idle, lock FROM bounds").await.expect("the timeouts in force");
    assert_eq!((row.get::<String, _>(0), row.get::<String, _>(1)), ("10s".into(), "15s".into()));
}

/// Stops a process, but not while it holds SQLite's writer lock, which would block every other process.
async fn stop(child: &ChildProcess, database: &Database) {
    sqlx::any::install_default_drivers();
    loop {
        child.signal("STOP").await;
        if database.is_postgres() {
            return;
        }
        let mut connection = AnyConnection::connect(&database.url).await.expect("a connection");
        connection.execute("PRAGMA busy_timeout = 500").await.expect("a setting");
        if connection.execute("BEGIN IMMEDIATE; ROLLBACK").await.is_ok() {
            return;
        }
        child.signal("CONT").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_operation_is_lost_when_the_database_server_is_killed() {
    let Some(cluster) = tokio::task::spawn_blocking(Cluster::start).await.expect("a server or none") else { return };
    let cluster = Arc::new(cluster);
    let database = Database::on(&cluster.url("postgres")).await;
    let ledger = database.ledger().await;
    let vendor = Vendor::new(database.pool().await).await;
    // longer than the outage: the vendor's detached work would overlap with its repetition after the loss of a lease
    let fleet = Fleet::start_with_lease(2, &database, Duration::from_secs(20)).await;
    let mut numbers = RandomNumbers::seeded(13);
    let callers: Vec<_> = (0..8).map(|_| tokio::spawn(fleet.clone().call(numbers.fork()))).collect();
    for _ in 0..short_or_long(1, 10) {
        fleet.answers(20 + numbers.below(40)).await;
        let server = cluster.clone();
        let killed = tokio::task::spawn_blocking(move || {
            server.kill();
            server.run_again();
        });
        killed.await.expect("a server");
    }
    fleet.answers(20).await;
    fleet.stopping.store(true, Ordering::SeqCst);
    for caller in callers {
        soon("a caller", caller).await.expect("a caller");
    }
    assert_consistent(&ledger, &vendor, &fleet).await;
    drop(database);
}
