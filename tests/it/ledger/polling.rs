//! Completion by polling: accepted without a notification, and read by the id of the operation.

use std::collections::HashSet;
use std::time::Duration;

use maitre_core::{
    Backend, FailureKind, LastOperation, OperationState, OperationStatus, Outcome, Provision, RequestIdentity, Result,
};
use maitre_ledger::{DurableListener, Ledger, State, UnknownPolicy};

use super::support::{
    Act, Answer, Database, RunningWorker, Vendor, addon, basic, bind, deprovision, key, replies, soon, start_process,
    until, update,
};

/// Returns a provision by a marketplace that polls.
fn polled(key: &str) -> Provision {
    let mut request = basic(key);
    (request.context.async_after, request.context.polled) = (Some(Duration::from_millis(100)), true);
    request
}

/// Returns the id of an accepted operation.
fn accepted<T>(result: Result<Outcome<T>>) -> i64 {
    match result {
        Ok(Outcome::Accepted { operation, .. }) => operation,
        Ok(_) => panic!("completed"),
        Err(failure) => panic!("{failure}"),
    }
}

async fn poll(listener: &DurableListener<Vendor>, key: &str, operation: Option<i64>) -> Result<OperationStatus> {
    let mut request = LastOperation::new(addon(), key);
    request.operation = operation;
    listener.last_operation(request).await
}

async fn state(listener: &DurableListener<Vendor>, key: &str, operation: i64) -> OperationState {
    poll(listener, key, Some(operation)).await.expect("a status").state
}

async fn wait_until_idle(ledger: &Ledger) {
    until("all operations are finished", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
}

on_both_databases! {
    async fn a_slow_provision_is_accepted_without_anything_to_notify(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        vendor.script(&key, [Act::Report("Half of it is done.")]);
        let gate = vendor.stop_at(&key);
        let operation = accepted(listener.provision(polled(&key)).await);
        gate.entered().await;
        until("the progress is stored", || async {
            poll(&listener, &key, Some(operation)).await.unwrap().message.is_some()
        })
        .await;
        let status = poll(&listener, &key, None).await.unwrap();
        assert_eq!((status.operation, status.state), (operation, OperationState::InProgress));
        assert_eq!(status.message.as_deref(), Some("Half of it is done."));
        assert_eq!(accepted(listener.provision(polled(&key)).await), operation, "a duplicate has the same operation");
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(state(&listener, &key, operation).await, OperationState::Succeeded);
        let replay = listener.provision(polled(&key)).await.expect("a replay");
        assert!(matches!(replay, Outcome::Replayed(_)));
        assert_eq!(vendor.calls(&key).await.len(), 1);
    }

    async fn the_budget_comes_with_the_request(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        let request = basic(&key);
        let waiting = tokio::spawn({
            let listener = listener.clone();
            async move { Answer::from(listener.provision(request).await) }
        });
        gate.entered().await;
        accepted(listener.provision(polled(&key)).await);
        assert!(!waiting.is_finished(), "a request without a budget waits");
        gate.open();
        assert!(soon("the answer", waiting).await.unwrap().is_done());
    }

    async fn a_refusal_and_a_failure_are_read_by_polling(database: Database) {
        database.migrated().await;
        let ledger = database.options().max_attempts(2).open().await.expect("a ledger");
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let _worker = RunningWorker::start(&ledger, &vendor);
        let (refused, failing) = (key(), key());
        let gates = [vendor.stop_at(&refused), vendor.stop_at(&failing)];
        vendor.script(&refused, [Act::Refuse("Sold out.")]);
        vendor.script(&failing, [Act::Fail("disk full"), Act::Fail("disk full")]);
        let operations = [accepted(listener.provision(polled(&refused)).await), accepted(listener.provision(polled(&failing)).await)];
        for gate in &gates {
            gate.open();
        }
        wait_until_idle(&ledger).await;
        let status = poll(&listener, &refused, Some(operations[0])).await.unwrap();
        assert_eq!(status.state, OperationState::Failed(FailureKind::Refused));
        assert_eq!(status.message.as_deref(), Some("Sold out."));
        assert_eq!(state(&listener, &failing, operations[1]).await, OperationState::Failed(FailureKind::Unavailable));
        // the marketplace removes what has failed
        for key in [&refused, &failing] {
            assert!(Answer::from(listener.deprovision(deprovision(key)).await).is_done());
            assert_eq!(poll(&listener, key, None).await.unwrap_err().kind(), FailureKind::Gone);
        }
    }

    async fn a_deprovision_wins_over_a_pending_provision_and_ends_gone(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let _worker = RunningWorker::start(&ledger, &vendor);
        let key = key();
        let gate = vendor.stop_at(&key);
        let provision = accepted(listener.provision(polled(&key)).await);
        gate.entered().await;
        let removal_gate = vendor.stop_at(&key);
        let mut request = deprovision(&key);
        (request.context.async_after, request.context.polled) = (Some(Duration::from_millis(100)), true);
        let removal = accepted(listener.deprovision(request.clone()).await);
        assert_ne!(provision, removal);
        assert_eq!(state(&listener, &key, removal).await, OperationState::InProgress);
        removal_gate.entered().await;
        assert_eq!(state(&listener, &key, provision).await, OperationState::Failed(FailureKind::Gone));
        assert_eq!(accepted(listener.deprovision(request).await), removal);
        removal_gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(poll(&listener, &key, Some(removal)).await.unwrap_err().kind(), FailureKind::Gone);
        assert_eq!(ledger.resource(&key).await.unwrap().map(|resource| resource.state), Some(State::Deprovisioned));
        assert_eq!(vendor.widget(&key).await, None);
        gate.open();
    }

    async fn binds_and_updates_are_polled_too(database: Database) {
        let ledger = database.ledger().await;
        let mut vendor = Vendor::new(database.pool().await).await;
        vendor.separate = true;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        listener.provision(basic(&key)).await.expect("a widget");
        let gate = vendor.stop_at(&key);
        let mut request = bind(&key, "b-1");
        (request.context.async_after, request.context.polled) = (Some(Duration::from_millis(100)), true);
        let operation = accepted(listener.bind(request.clone()).await);
        let mut status = LastOperation::new(addon(), key.as_str());
        status.binding = Some("b-1".into());
        assert_eq!(listener.last_operation(status.clone()).await.unwrap().operation, operation);
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(listener.last_operation(status.clone()).await.unwrap().state, OperationState::Succeeded);
        assert!(matches!(listener.bind(request).await, Ok(Outcome::Replayed(_))));

        let gate = vendor.stop_at(&key);
        let mut request = update(&key, "large");
        (request.context.async_after, request.context.polled) = (Some(Duration::from_millis(100)), true);
        let operation = accepted(listener.update(request).await);
        assert_eq!(poll(&listener, &key, None).await.unwrap().operation, operation, "not the one of the binding");
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(state(&listener, &key, operation).await, OperationState::Succeeded);
        status.binding = Some("b-2".into());
        assert_eq!(listener.last_operation(status).await.unwrap_err().kind(), FailureKind::Unknown);
        assert_eq!(poll(&listener, "i-1", None).await.unwrap_err().kind(), FailureKind::Unknown);
        assert_eq!(poll(&listener, &key, Some(operation + 100)).await.unwrap_err().kind(), FailureKind::Unknown);
    }

    async fn a_request_that_needs_an_asynchronous_answer_leaves_no_record(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        vendor.script(&key, [Act::AsyncRequired]);
        let failed = Answer::from(listener.provision(basic(&key)).await);
        assert_eq!(failed, Answer::Failed(FailureKind::AsyncRequired));
        assert_eq!(ledger.resource(&key).await.unwrap(), None);
        assert!(Answer::from(listener.provision(polled(&key)).await).is_done(), "the same key with another budget");
    }

    async fn a_deprovision_that_overtakes_its_provision_leaves_a_tombstone_for_any_key(database: Database) {
        database.migrated().await;
        for policy in [UnknownPolicy::AskListener, UnknownPolicy::AnswerUnknown] {
            let ledger = database.options().unknown_policy(policy).open().await.expect("a ledger");
            let listener = ledger.wrap(Vendor::new(database.pool().await).await);
            let id = format!("instance of {policy:?}");
            let mut request = deprovision(&id);
            request.context.polled = true;
            for kind in [FailureKind::Unknown, FailureKind::Gone] {
                assert_eq!(Answer::from(listener.deprovision(request.clone()).await), Answer::Failed(kind));
            }
            assert_eq!(Answer::from(listener.provision(polled(&id)).await), Answer::Failed(FailureKind::Gone));
        }
    }

    async fn the_contract_decides_about_the_same_request(database: Database) {
        let ledger = database.ledger().await;
        let listener = ledger.wrap(Vendor::new(database.pool().await).await);
        let key = key();
        let request = |plan: &str, space: &str| {
            let mut request = Provision::new(addon(), key.as_str(), plan);
            request.context.identity = RequestIdentity::of(&space);
            request
        };
        assert!(Answer::from(listener.provision(request("basic", "s-1")).await).is_done());
        assert!(Answer::from(listener.provision(request("premium", "s-1")).await).is_done(), "the same by its identity");
        let other = Answer::from(listener.provision(request("basic", "s-2")).await);
        assert_eq!(other, Answer::Failed(FailureKind::Conflict));
    }

    async fn three_processes_accept_one_operation(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let mut processes = Vec::new();
        for _ in 0..3 {
            processes.push(start_process(&database).await);
        }
        for _ in 0..5 {
            let key = key();
            let calls: Vec<_> = (0..24)
                .map(|number: usize| {
                    let (process, command) = (processes[number % 3].clone(), format!("polled {key}"));
                    tokio::spawn(async move { process.send(&command).await.expect("an answer") })
                })
                .collect();
            let mut answers = HashSet::new();
            for call in calls {
                answers.insert(soon("an answer", call).await.unwrap());
            }
            answers.remove("done"); // it has completed in the meantime
            assert!(answers.len() <= 1, "two operations: {answers:?}");
            until("the operation is finished", || async {
                ledger.resource(&key).await.unwrap().is_some_and(|resource| resource.state == State::Provisioned)
            })
            .await;
            let resource = ledger.resource(&key).await.unwrap().expect("a resource");
            // a process that is starved of time loses its lease, and the operation is run again
            assert_eq!((resource.timeline.len(), vendor.duplicates().await), (1, 0), "{resource:#?}");
            let operation = resource.timeline[0].id.to_string();
            assert!(answers.iter().all(|answer| *answer == operation), "{answers:?}");
            let listener = ledger.wrap(vendor.clone());
            let replays = (0..3).map(|_| {
                let (listener, request) = (listener.clone(), polled(&key));
                async move { listener.provision(request).await }
            });
            let replays = replies(replays.collect::<Vec<_>>()).await;
            assert!(replays[0].is_done() && replays.iter().all(|replay| *replay == replays[0]));
        }
    }
}
