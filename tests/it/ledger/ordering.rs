//! Per-resource order: one operation at a time, in the order of requests; a deprovision overtakes the others.

use std::time::Duration;

use maitre_core::FailureKind::{Unavailable, Unknown};
use maitre_core::{Backend, WorkItem};
use maitre_ledger::{DurableListener, Ledger, OperationState, State};

use super::support::{
    Act, Answer, Database, RandomNumbers, RunningWorker, SimulatedProcess, Vendor, basic, deprovision, key,
    plan_change, short_or_long, soon, until,
};

/// Returns the id of an operation by its index in the timeline.
async fn operation(ledger: &Ledger, key: &str, index: usize) -> i64 {
    ledger.resource(key).await.expect("the records").expect("a resource").timeline[index].id
}

async fn operation_count(ledger: &Ledger, key: &str) -> usize {
    ledger.resource(key).await.expect("the records").map_or(0, |resource| resource.timeline.len())
}

async fn state(ledger: &Ledger, key: &str) -> Option<State> {
    ledger.resource(key).await.expect("the records").map(|resource| resource.state)
}

/// Requests a plan change that has to wait, and disconnects.
async fn abandon_plan_change(ledger: &Ledger, listener: &DurableListener<Vendor>, key: &str, to: &str) {
    let before = operation_count(ledger, key).await;
    let (listener, request) = (listener.clone(), plan_change(key, to));
    let call = tokio::spawn(async move { listener.plan_change(request).await });
    until("the operation is recorded", || async { operation_count(ledger, key).await > before }).await;
    call.abort();
    let _ = call.await;
}

on_both_databases! {
    async fn plan_changes_run_in_the_order_of_their_requests(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        let (first, request) = (listener.clone(), basic(&key));
        let provisioning = tokio::spawn(async move { first.provision(request).await });
        gate.entered().await;
        abandon_plan_change(&ledger, &listener, &key, "premium").await;
        gate.open();
        soon("the provision", provisioning).await.unwrap().expect("a widget");

        let (last, request) = (listener.clone(), plan_change(&key, "gold"));
        let changing = tokio::spawn(async move { last.plan_change(request).await });
        until("the operation is recorded", || async { operation_count(&ledger, &key).await == 3 }).await;
        let _worker = RunningWorker::start(&ledger, &vendor);
        soon("the plan change", changing).await.unwrap().expect("a plan change");
        until("all operations are finished", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
        assert_eq!(vendor.widget(&key).await.as_deref(), Some("gold"), "the plan requested last");
        let plans: Vec<_> = vendor.calls(&key).await.into_iter().map(|call| call.plan).collect();
        assert_eq!(plans, ["basic", "premium", "gold"]);
    }

    async fn an_operation_of_a_dead_process_does_not_overtake_a_deprovision(database: Database) {
        database.migrated().await;
        let ledger = database.open().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        let gate = vendor.stop_at(&key);
        let process = SimulatedProcess::start();
        let (options, request) = (database.options().lease_duration(Duration::from_millis(60)), basic(&key));
        let (database, script) = (database.handle(), vendor.clone());
        process.spawn(async move {
            let short = options.open().await.unwrap();
            short.wrap(script.with_pool(database.pool().await)).provision(request).await
        });
        gate.entered().await;
        let listener = ledger.wrap(vendor.clone());
        let (other, request) = (listener.clone(), deprovision(&key));
        let deprovisioning = tokio::spawn(async move { other.deprovision(request).await });
        until("the operation is recorded", || async { operation_count(&ledger, &key).await == 2 }).await;
        process.kill();

        let left = operation(&ledger, &key, 0).await;
        for _ in 0..20 {
            let _ = listener.resume(WorkItem::Operation(left)).await;
            let state = state(&ledger, &key).await;
            assert!(matches!(state, Some(State::Deprovisioning | State::Deprovisioned)), "{state:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        gate.open();
        let _worker = RunningWorker::start(&ledger, &vendor);
        assert!(Answer::from(soon("the deprovision", deprovisioning).await.unwrap()).is_done());
        assert_eq!(state(&ledger, &key).await, Some(State::Deprovisioned));
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(vendor.calls(&key).await.iter().filter(|call| call.kind == "provision").count(), 1);
    }

    async fn a_parked_operation_cannot_be_retried_after_a_deprovision(database: Database) {
        database.migrated().await;
        let ledger = database.options().max_attempts(1).backoff(Duration::ZERO, Duration::ZERO).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        vendor.script(&key, [Act::FailAfter("disk full")]);
        assert_eq!(Answer::from(listener.provision(basic(&key)).await), Answer::Failed(Unavailable));
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 1);
        let parked = operation(&ledger, &key, 0).await;
        listener.deprovision(deprovision(&key)).await.expect("a deprovision");
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 0, "nothing is parked");

        let _ = ledger.operator("ada").retry(parked).await.unwrap();
        let _ = listener.resume(WorkItem::Operation(parked)).await;
        assert_eq!(state(&ledger, &key).await, Some(State::Deprovisioned));
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(vendor.calls(&key).await.len(), 2);
    }

    async fn a_new_request_settles_a_parked_operation(database: Database) {
        database.migrated().await;
        let ledger = database.options().max_attempts(1).backoff(Duration::ZERO, Duration::ZERO).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        vendor.script(&key, [Act::Fail("disk full")]);
        assert_eq!(Answer::from(listener.provision(basic(&key)).await), Answer::Failed(Unavailable));
        let parked = operation(&ledger, &key, 0).await;
        assert!(Answer::from(listener.provision(basic(&key)).await).is_done());
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 0, "nothing is parked");
        let _ = ledger.operator("ada").retry(parked).await.unwrap();
        let _ = listener.resume(WorkItem::Operation(parked)).await;
        assert_eq!(state(&ledger, &key).await, Some(State::Provisioned));
        assert_eq!(vendor.calls(&key).await.len(), 2);
    }

    async fn a_concurrent_retry_and_request_make_one_call(database: Database) {
        database.migrated().await;
        let ledger = database.options().max_attempts(1).backoff(Duration::ZERO, Duration::ZERO).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        vendor.script(&key, [Act::Fail("disk full")]);
        assert_eq!(Answer::from(listener.provision(basic(&key)).await), Answer::Failed(Unavailable));
        let parked = operation(&ledger, &key, 0).await;
        assert!(ledger.operator("ada").retry(parked).await.unwrap());
        let gate = vendor.stop_at(&key);
        let (duplicate, request) = (listener.clone(), basic(&key));
        let provisioning = tokio::spawn(async move { duplicate.provision(request).await });
        gate.entered().await;
        let _ = listener.resume(WorkItem::Operation(parked)).await;
        assert_eq!(vendor.calls(&key).await.len(), 2, "two concurrent calls for one resource");
        gate.open();
        assert!(Answer::from(soon("the provision", provisioning).await.unwrap()).is_done());
        assert_eq!(vendor.duplicates().await, 0);
    }

    async fn a_plan_change_after_a_refused_provision_is_unknown(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        for to in ["premium", "basic"] {
            let key = key();
            let gate = vendor.stop_at(&key);
            vendor.script(&key, [Act::Refuse("Sold out.")]);
            let (first, request) = (listener.clone(), basic(&key));
            let provisioning = tokio::spawn(async move { first.provision(request).await });
            gate.entered().await;
            let (second, request) = (listener.clone(), plan_change(&key, to));
            let changing = tokio::spawn(async move { second.plan_change(request).await });
            until("the operation is recorded", || async { operation_count(&ledger, &key).await == 2 }).await;
            gate.open();
            let _ = soon("the provision", provisioning).await.unwrap();
            assert_eq!(Answer::from(soon("the plan change", changing).await.unwrap()), Answer::Failed(Unknown), "{to}");
        }
    }

    async fn any_sequence_of_operations_ends_in_the_last_requested_state(database: Database) {
        let processes = [database.ledger().await, database.open().await, database.open().await];
        let vendor = Vendor::new(database.pool().await).await;
        let _worker = [RunningWorker::start(&processes[0], &vendor), RunningWorker::start(&processes[1], &vendor)];
        let rounds = short_or_long(200, 10_000);
        let mut seeds = RandomNumbers::seeded(7);
        for _ in 0..rounds.div_ceil(20) {
            let batch: Vec<_> = (0..20)
                .map(|_| {
                    let listener = processes.each_ref().map(|process| process.wrap(vendor.clone()));
                    let numbers = seeds.fork();
                    tokio::spawn(run_sequence(processes[2].clone(), listener, vendor.clone(), numbers))
                })
                .collect();
            for round in batch {
                soon("a round", round).await.expect("a round");
            }
        }
        assert_eq!(processes[0].stats().await.unwrap().parked_operations, 0);
        assert_eq!(vendor.duplicates().await, 0);
    }
}

/// Requests some plan changes and perhaps a deprovision, each recorded before the next; then checks the vendor's state.
async fn run_sequence(
    ledger: Ledger,
    listener: [DurableListener<Vendor>; 3],
    vendor: Vendor,
    mut numbers: RandomNumbers,
) {
    let key = key();
    listener[0].provision(basic(&key)).await.expect("a widget");
    let mut last = Some("basic");
    let mut calls = Vec::new();
    let events = 1 + numbers.below(6);
    for _ in 0..events {
        for _ in 0..numbers.below(3) {
            vendor.script(
                &key,
                [if numbers.one_in(2) { Act::Fail("a temporary failure") } else { Act::FailAfter("reply lost") }],
            );
        }
        let listener = listener[numbers.below(3)].clone();
        let before = operation_count(&ledger, &key).await;
        let call = if numbers.one_in(8) {
            last = None;
            let request = deprovision(&key);
            tokio::spawn(async move { Answer::from(listener.deprovision(request).await) })
        } else {
            let to = ["basic", "premium", "gold"][numbers.below(3)];
            last = last.map(|_| to);
            let request = plan_change(&key, to);
            tokio::spawn(async move { Answer::from(listener.plan_change(request).await) })
        };
        until("the operation is recorded", || async {
            call.is_finished() || operation_count(&ledger, &key).await > before
        })
        .await;
        if numbers.one_in(4) {
            call.abort(); // the caller disconnected
        } else if numbers.one_in(3) {
            let _ = call.await;
            continue;
        }
        calls.push(call);
    }
    for call in calls {
        let _ = call.await;
    }
    until("all operations are finished", || async {
        let resource = ledger.resource(&key).await.unwrap().expect("a resource");
        resource.timeline.iter().all(|operation| operation.state != OperationState::Open)
    })
    .await;
    let history = || async { (ledger.resource(&key).await, vendor.calls(&key).await) };
    assert_eq!(vendor.widget(&key).await.as_deref(), last, "{:#?}", history().await);
    let resource = ledger.resource(&key).await.unwrap().expect("a resource");
    let end = if last.is_some() { State::Provisioned } else { State::Deprovisioned };
    assert_eq!(resource.state, end, "{:#?}", history().await);
}
