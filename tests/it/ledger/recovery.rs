//! Retries: temporary failures are retried, permanent ones are parked with their error, deprovisions never give up.

use std::time::Duration;

use maitre_core::{Backend, FailureKind};
use maitre_ledger::{OperationState, State};

use super::support::{
    Act, Answer, Database, RunningWorker, Vendor, basic, deprovision, key, plan_change, short_or_long, soon, until,
    worker,
};

on_both_databases! {
    async fn a_temporary_failure_is_retried_until_it_succeeds(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let mut keys = Vec::new();
        for number in 0..short_or_long(44, 1100) {
            let key = key();
            let failures = number % 11 + 1; // the twelfth attempt is the last
            vendor.script(
                &key,
                (0..failures).map(|index| match (number + index) % 3 {
                    0 => Act::Fail("no connection"),
                    1 => Act::FailAfter("reply lost"),
                    _ => Act::Panic,
                }),
            );
            assert_eq!(Answer::from(listener.provision(basic(&key)).await), Answer::Failed(FailureKind::Unavailable));
            keys.push((key, failures));
        }
        let _worker = RunningWorker::start(&ledger, &vendor);
        for (key, failures) in keys {
            until("the resource is provisioned", || async {
                ledger.resource(&key).await.unwrap().is_some_and(|resource| resource.state == State::Provisioned)
            })
            .await;
            assert!(Answer::from(listener.provision(basic(&key)).await).is_done(), "a failure is never replayed");
            assert_eq!(vendor.calls(&key).await.len(), failures + 1);
        }
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 0);
        assert_eq!(vendor.duplicates().await, 0);
    }

    async fn a_plan_change_is_retried_until_it_succeeds(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        listener.provision(basic(&key)).await.expect("a widget");
        vendor.script(&key, [Act::Fail("no connection"), Act::FailAfter("reply lost"), Act::Panic]);
        let failed = Answer::from(listener.plan_change(plan_change(&key, "premium")).await);
        assert_eq!(failed, Answer::Failed(FailureKind::Unavailable));
        let _worker = RunningWorker::start(&ledger, &vendor);
        until("the operation is finished", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
        assert_eq!(vendor.widget(&key).await.as_deref(), Some("premium"));
        assert!(Answer::from(listener.plan_change(plan_change(&key, "premium")).await).is_done());
        assert_eq!(vendor.calls(&key).await.len(), 5, "a change to the current plan needs no call");
    }

    async fn an_operation_that_exhausts_its_attempts_is_parked_with_its_error(database: Database) {
        let backoff = Duration::from_millis(1);
        database.migrated().await;
        let ledger = database.options().max_attempts(3).backoff(backoff, backoff).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        vendor.script(&key, (0..6).map(|_| Act::Fail("cannot reach postgres://app:hunter2@db/app: disk full")));
        assert_eq!(Answer::from(listener.provision(basic(&key)).await), Answer::Failed(FailureKind::Unavailable));
        let worker = RunningWorker::start(&ledger, &vendor);
        until("an entry is parked", || async { ledger.stats().await.unwrap().parked_operations == 1 }).await;
        drop(worker);

        let resource = ledger.resource(&key).await.unwrap().expect("a resource");
        assert_eq!(resource.state, State::Parked);
        let [parked] = &resource.timeline[..] else { panic!("{resource:?}") };
        assert_eq!((parked.state, parked.attempt), (OperationState::Parked, 3));
        let cause = parked.last_error.as_deref().expect("a cause");
        assert!(cause.contains("disk full") && !cause.contains("hunter2"), "{cause}");

        // three more attempts fail, and the next one succeeds
        for _ in 0..2 {
            assert!(ledger.operator("ada").retry(parked.id).await.unwrap());
            let worker = RunningWorker::start(&ledger, &vendor);
            until("the operation is finished", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
            drop(worker);
        }
        assert!(Answer::from(listener.provision(basic(&key)).await).is_done());
    }

    async fn a_parked_plan_change_does_not_change_the_resource(database: Database) {
        database.migrated().await;
        let ledger = database.options().max_attempts(1).backoff(Duration::ZERO, Duration::ZERO).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        let first = Answer::from(listener.provision(basic(&key)).await);
        vendor.script(&key, [Act::Fail("disk full")]);
        let failed = Answer::from(listener.plan_change(plan_change(&key, "premium")).await);
        assert_eq!(failed, Answer::Failed(FailureKind::Unavailable));
        let resource = ledger.resource(&key).await.unwrap().expect("a resource");
        assert_eq!((resource.state, resource.plan.as_deref()), (State::Provisioned, Some("basic")));
        assert_eq!(Answer::from(listener.provision(basic(&key)).await), first);
        let parked = resource.timeline[1].id;
        assert!(ledger.operator("ada").abandon(parked).await.unwrap());
        assert!(!ledger.operator("ada").abandon(parked).await.unwrap());
        assert!(!ledger.operator("ada").retry(parked).await.unwrap());
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 0);
    }

    async fn a_deprovision_is_retried_without_limit(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        listener.provision(basic(&key)).await.expect("a widget");
        let acts = [Act::Fail("no connection"), Act::Panic, Act::Refuse("I cannot do this."), Act::FailAfter("lost")];
        let failures = 40;
        vendor.script(&key, acts.into_iter().cycle().take(failures));
        assert_eq!(
            Answer::from(listener.deprovision(deprovision(&key)).await),
            Answer::Failed(FailureKind::Unavailable)
        );
        let _worker = RunningWorker::start(&ledger, &vendor);
        until("the resource is deprovisioned", || async {
            ledger.resource(&key).await.unwrap().is_some_and(|resource| resource.state == State::Deprovisioned)
        })
        .await;
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(vendor.calls(&key).await.len(), failures + 2);
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 0);
    }

    async fn a_failed_provision_that_cannot_be_retried_is_deprovisioned(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        vendor.script(&key, [Act::FailAfter("reply lost")]);
        let mut request = basic(&key);
        request.context.keyed = false;
        assert_eq!(Answer::from(listener.provision(request).await), Answer::Failed(FailureKind::Unavailable));
        assert_eq!(vendor.widget(&key).await.as_deref(), Some("basic"));
        let _worker = RunningWorker::start(&ledger, &vendor);
        until("the resource is deprovisioned", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
        assert_eq!(vendor.widget(&key).await, None);
        let kinds: Vec<_> = vendor.calls(&key).await.into_iter().map(|call| call.kind).collect();
        assert_eq!(kinds, ["provision", "deprovision"]);
    }

    async fn a_failed_provision_not_retried_for_a_day_is_deprovisioned(database: Database) {
        let backoff = Duration::from_hours(1);
        database.migrated().await;
        let ledger = database.options().max_attempts(1000).backoff(backoff, backoff).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        vendor.script(&key, [Act::FailAfter("reply lost"), Act::Fail("still no connection")]);
        let failed = Answer::from(ledger.wrap(vendor.clone()).provision(basic(&key)).await);
        assert_eq!(failed, Answer::Failed(FailureKind::Unavailable));

        let day = Duration::from_hours(25);
        let tomorrow = database
            .options()
            .max_attempts(1000)
            .backoff(Duration::ZERO, Duration::ZERO)
            .clock_offset(day)
            .open()
            .await;
        let tomorrow = tomorrow.unwrap();
        let _worker = RunningWorker::start(&tomorrow, &vendor);
        until("the operation is finished", || async { tomorrow.stats().await.unwrap().open_operations == 0 }).await;
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(tomorrow.resource(&key).await.unwrap().map(|resource| resource.state), Some(State::Deprovisioned));
    }

    async fn a_disconnect_does_not_stop_the_operation(database: Database) {
        // the lease is so long that no other process can take the operation over
        database.migrated().await;
        let ledger = database.options().lease_duration(Duration::from_hours(1)).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        let gate = vendor.stop_at(&key);
        let (listener, request) = (ledger.wrap(vendor.clone()), basic(&key));
        let call = tokio::spawn(async move { listener.provision(request).await });
        gate.entered().await;
        call.abort();
        let _ = call.await;
        gate.open();
        let again = ledger.wrap(vendor.clone());
        assert!(Answer::from(soon("the answer", again.provision(basic(&key))).await).is_done());
        assert_eq!(vendor.calls(&key).await.len(), 1);
    }

    async fn a_stopped_worker_finishes_running_work(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        vendor.script(&key, [Act::Fail("no connection")]);
        let _ = ledger.wrap(vendor.clone()).provision(basic(&key)).await;
        let gate = vendor.stop_at(&key);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(worker(&ledger, &vendor).run(async { drop(stopped.await) }));
        gate.entered().await;
        stop.send(()).unwrap();
        assert!(!running.is_finished());
        gate.open();
        soon("the worker", running).await.unwrap();
        assert_eq!(ledger.stats().await.unwrap().open_operations, 0);
        assert_eq!(vendor.widget(&key).await.as_deref(), Some("basic"));
        soon("closing", ledger.close()).await;
    }
}
