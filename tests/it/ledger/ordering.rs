//! Per-resource order: one operation at a time, in the order of requests; a deprovision overtakes the others.

use std::time::Duration;

use maitre_core::FailureKind::{Unavailable, Unknown};
use maitre_core::{Backend, WorkItem};
use maitre_ledger::{DurableListener, Ledger, OperationState, State};

use super::support::{
    Act, Answer, Database, Process, RandomNumbers, Vendor, Working, basic, key, plan, remove, short_or_long, soon,
    until,
};

/// Returns the id of an operation by its index in the timeline.
async fn operation(ledger: &Ledger, key: &str, place: usize) -> i64 {
    ledger.resource(key).await.expect("the records").expect("a resource").timeline[place].id
}

async fn asked_for(ledger: &Ledger, key: &str) -> usize {
    ledger.resource(key).await.expect("the records").map_or(0, |resource| resource.timeline.len())
}

async fn state(ledger: &Ledger, key: &str) -> Option<State> {
    ledger.resource(key).await.expect("the records").map(|resource| resource.state)
}

/// Requests a plan change that has to wait, and disconnects.
async fn leave_a_plan_change(ledger: &Ledger, kept: &DurableListener<Vendor>, key: &str, to: &str) {
    let before = asked_for(ledger, key).await;
    let (kept, request) = (kept.clone(), plan(key, to));
    let call = tokio::spawn(async move { kept.plan_change(request).await });
    until("it is written down", || async { asked_for(ledger, key).await > before }).await;
    call.abort();
    let _ = call.await;
}

on_both_databases! {
    async fn plan_changes_run_in_the_order_of_their_requests(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let kept = ledger.wrap(vendor.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        let (first, request) = (kept.clone(), basic(&key));
        let making = tokio::spawn(async move { first.provision(request).await });
        gate.entered().await;
        leave_a_plan_change(&ledger, &kept, &key, "premium").await;
        gate.open();
        soon("the provision", making).await.unwrap().expect("a widget");

        let (last, request) = (kept.clone(), plan(&key, "gold"));
        let changing = tokio::spawn(async move { last.plan_change(request).await });
        until("it is written down", || async { asked_for(&ledger, &key).await == 3 }).await;
        let _working = Working::start(&ledger, &vendor);
        soon("the plan change", changing).await.unwrap().expect("a plan change");
        until("all is done", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
        assert_eq!(vendor.widget(&key).await.as_deref(), Some("gold"), "the last one that was asked for");
        let plans: Vec<_> = vendor.calls(&key).await.into_iter().map(|call| call.plan).collect();
        assert_eq!(plans, ["basic", "premium", "gold"]);
    }

    async fn an_operation_of_a_dead_process_does_not_overtake_a_deprovision(database: Database) {
        database.migrated().await;
        let ledger = database.open().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        let gate = vendor.stop_at(&key);
        let process = Process::start();
        let (options, request) = (database.options().lease_duration(Duration::from_millis(60)), basic(&key));
        let (way, script) = (database.way(), vendor.clone());
        process.spawn(async move {
            let short = options.open().await.unwrap();
            short.wrap(script.over(way.pool().await)).provision(request).await
        });
        gate.entered().await;
        let kept = ledger.wrap(vendor.clone());
        let (other, request) = (kept.clone(), remove(&key));
        let removing = tokio::spawn(async move { other.deprovision(request).await });
        until("it is written down", || async { asked_for(&ledger, &key).await == 2 }).await;
        process.kill();

        let left = operation(&ledger, &key, 0).await;
        for _ in 0..20 {
            let _ = kept.resume(WorkItem::Operation(left)).await;
            let state = state(&ledger, &key).await;
            assert!(matches!(state, Some(State::Deprovisioning | State::Deprovisioned)), "{state:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        gate.open();
        let _working = Working::start(&ledger, &vendor);
        assert!(Answer::from(soon("the removal", removing).await.unwrap()).is_done());
        assert_eq!(state(&ledger, &key).await, Some(State::Deprovisioned));
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(vendor.calls(&key).await.iter().filter(|call| call.kind == "provision").count(), 1);
    }

    async fn a_parked_operation_cannot_be_retried_after_a_deprovision(database: Database) {
        database.migrated().await;
        let ledger = database.options().max_attempts(1).backoff(Duration::ZERO, Duration::ZERO).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let kept = ledger.wrap(vendor.clone());
        let key = key();
        vendor.tell(&key, [Act::FailAfter("disk full")]);
        assert_eq!(Answer::from(kept.provision(basic(&key)).await), Answer::Failed(Unavailable));
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 1);
        let parked = operation(&ledger, &key, 0).await;
        kept.deprovision(remove(&key)).await.expect("a removal");
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 0, "nothing is left to look at");

        let _ = ledger.retry(parked).await.unwrap();
        let _ = kept.resume(WorkItem::Operation(parked)).await;
        assert_eq!(state(&ledger, &key).await, Some(State::Deprovisioned));
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(vendor.calls(&key).await.len(), 2);
    }

    async fn a_new_request_settles_a_parked_operation(database: Database) {
        database.migrated().await;
        let ledger = database.options().max_attempts(1).backoff(Duration::ZERO, Duration::ZERO).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let kept = ledger.wrap(vendor.clone());
        let key = key();
        vendor.tell(&key, [Act::Fail("disk full")]);
        assert_eq!(Answer::from(kept.provision(basic(&key)).await), Answer::Failed(Unavailable));
        let parked = operation(&ledger, &key, 0).await;
        assert!(Answer::from(kept.provision(basic(&key)).await).is_done());
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 0, "nothing is left to look at");
        let _ = ledger.retry(parked).await.unwrap();
        let _ = kept.resume(WorkItem::Operation(parked)).await;
        assert_eq!(state(&ledger, &key).await, Some(State::Provisioned));
        assert_eq!(vendor.calls(&key).await.len(), 2);
    }

    async fn a_concurrent_retry_and_request_make_one_call(database: Database) {
        database.migrated().await;
        let ledger = database.options().max_attempts(1).backoff(Duration::ZERO, Duration::ZERO).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let kept = ledger.wrap(vendor.clone());
        let key = key();
        vendor.tell(&key, [Act::Fail("disk full")]);
        assert_eq!(Answer::from(kept.provision(basic(&key)).await), Answer::Failed(Unavailable));
        let parked = operation(&ledger, &key, 0).await;
        assert!(ledger.retry(parked).await.unwrap());
        let gate = vendor.stop_at(&key);
        let (anew, request) = (kept.clone(), basic(&key));
        let making = tokio::spawn(async move { anew.provision(request).await });
        gate.entered().await;
        let _ = kept.resume(WorkItem::Operation(parked)).await;
        assert_eq!(vendor.calls(&key).await.len(), 2, "two runs of one resource at once");
        gate.open();
        assert!(Answer::from(soon("the provision", making).await.unwrap()).is_done());
        assert_eq!(vendor.doubles().await, 0);
    }

    async fn a_plan_change_after_a_refused_provision_is_unknown(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let kept = ledger.wrap(vendor.clone());
        for to in ["premium", "basic"] {
            let key = key();
            let gate = vendor.stop_at(&key);
            vendor.tell(&key, [Act::Refuse("Sold out.")]);
            let (first, request) = (kept.clone(), basic(&key));
            let making = tokio::spawn(async move { first.provision(request).await });
            gate.entered().await;
            let (second, request) = (kept.clone(), plan(&key, to));
            let changing = tokio::spawn(async move { second.plan_change(request).await });
            until("it is written down", || async { asked_for(&ledger, &key).await == 2 }).await;
            gate.open();
            let _ = soon("the provision", making).await.unwrap();
            assert_eq!(Answer::from(soon("the plan change", changing).await.unwrap()), Answer::Failed(Unknown), "{to}");
        }
    }

    async fn any_sequence_of_operations_ends_in_the_last_requested_state(database: Database) {
        let processes = [database.ledger().await, database.open().await, database.open().await];
        let vendor = Vendor::new(database.pool().await).await;
        let _working = [Working::start(&processes[0], &vendor), Working::start(&processes[1], &vendor)];
        let rounds = short_or_long(200, 10_000);
        let mut seeds = RandomNumbers::seeded(7);
        for _ in 0..rounds.div_ceil(20) {
            let batch: Vec<_> = (0..20)
                .map(|_| {
                    let kept = processes.each_ref().map(|process| process.wrap(vendor.clone()));
                    let numbers = seeds.fork();
                    tokio::spawn(interleave(processes[2].clone(), kept, vendor.clone(), numbers))
                })
                .collect();
            for round in batch {
                soon("a round", round).await.expect("a round");
            }
        }
        assert_eq!(processes[0].stats().await.unwrap().parked_operations, 0);
        assert_eq!(vendor.doubles().await, 0);
    }
}

/// Requests some plan changes and perhaps a deprovision, each recorded before the next; then checks the vendor's state.
async fn interleave(ledger: Ledger, kept: [DurableListener<Vendor>; 3], vendor: Vendor, mut numbers: RandomNumbers) {
    let key = key();
    kept[0].provision(basic(&key)).await.expect("a widget");
    let mut last = Some("basic");
    let mut calls = Vec::new();
    let events = 1 + numbers.below(6);
    for _ in 0..events {
        for _ in 0..numbers.below(3) {
            vendor
                .tell(&key, [if numbers.one_in(2) { Act::Fail("a hiccup") } else { Act::FailAfter("a lost answer") }]);
        }
        let kept = kept[numbers.below(3)].clone();
        let before = asked_for(&ledger, &key).await;
        let call = if numbers.one_in(8) {
            last = None;
            let request = remove(&key);
            tokio::spawn(async move { Answer::from(kept.deprovision(request).await) })
        } else {
            let to = ["basic", "premium", "gold"][numbers.below(3)];
            last = last.map(|_| to);
            let request = plan(&key, to);
            tokio::spawn(async move { Answer::from(kept.plan_change(request).await) })
        };
        until("it is written down", || async { call.is_finished() || asked_for(&ledger, &key).await > before }).await;
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
    until("all is done", || async {
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
