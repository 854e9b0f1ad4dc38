//! Asynchronous operations: accepted, completed in the background, and reported to the marketplace: exactly once if the
//! notification succeeds.

use std::time::Duration;

use maitre_core::{Backend, FailureKind, Outcome, Provision, Result};
use maitre_ledger::{Keys, Ledger, State};
use sqlx::{Executor, Row};

use super::support::{
    Act, Answer, COMPLETION_DEADLINE, Database, Describe, Gate, HookResult, HookedApp, KEY, RecordingHooks,
    SimulatedProcess, Vendor, basic, deprovision, key, plan_change, soon, until,
};

/// Long enough for immediate work, and short enough for a test.
const ASYNC_AFTER: Duration = Duration::from_millis(150);
const PROVISIONED: &str = r#"provisioned ["WIDGET_URL", "A_FIRST"]"#;

/// Returns a provision that may be answered "accepted".
fn async_provision(key: &str) -> Provision {
    let mut request = basic(key);
    request.context.async_after = Some(ASYNC_AFTER);
    request
}

/// Returns the message that the customer gets with a 202.
fn accepted_message<T: Describe>(result: Result<Outcome<T>>) -> String {
    match result {
        Ok(Outcome::Accepted { message, .. }) => message,
        other => panic!("not accepted: {:?}", other.map(|outcome| outcome.describe())),
    }
}

async fn state(ledger: &Ledger, key: &str) -> State {
    ledger.resource(key).await.unwrap().expect("a resource").state
}

async fn wait_until_idle(ledger: &Ledger) {
    until("all operations are finished", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
}

async fn ledger_at(database: &Database, offset: Duration) -> Ledger {
    let backoff = Duration::from_millis(1);
    let options =
        Ledger::builder(&database.url).keys(Keys::parse(KEY).unwrap()).max_attempts(12).backoff(backoff, 4 * backoff);
    options.clock_offset(offset).open().await.expect("a ledger")
}

on_both_databases! {
    async fn a_fast_provision_is_answered_without_a_notification(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        let mut request = basic(&key);
        request.context.async_after = Some(Duration::from_mins(1));
        let reply = process.listener.provision(request).await.expect("a reply").done().expect("a reply");
        assert_eq!(reply.id().as_str(), key, "the id is the key if the operation could have been accepted");
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), [""; 0]);
        // the provider id is known nevertheless
        let changed = process.listener.plan_change(plan_change(&format!("w-{key}"), "premium")).await;
        assert!(Answer::from(changed).is_done());
    }

    async fn a_slow_provision_is_accepted_and_notified_on_completion(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let (key, gate) = (key(), Gate::new());
        vendor.script(&key, [Act::Report("Your widget is being forged."), Act::Wait(gate.clone())]);

        assert!(!accepted_message(process.listener.provision(async_provision(&key)).await).is_empty());
        gate.entered().await;
        until("the progress is stored", || async {
            ledger.resource(&key).await.unwrap().unwrap().timeline[0].progress.is_some()
        })
        .await;
        // a repeated request joins the same operation
        assert_eq!(
            accepted_message(process.listener.provision(async_provision(&key)).await),
            "Your widget is being forged."
        );
        let view = ledger.resource(&key).await.unwrap().unwrap();
        assert_eq!((view.state, view.timeline.len()), (State::Provisioning, 1));
        assert!(view.timeline[0].accepted_at.is_some() && !view.timeline[0].is_notification_pending);

        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), [PROVISIONED]);
        assert_eq!(vendor.calls(&key).await.len(), 1);
        let replay =
            process.listener.provision(async_provision(&key)).await.expect("a replay").done().expect("a reply");
        assert_eq!(replay.id().as_str(), key);
        assert_eq!(replay.config().iter().len(), 2, "a completed operation is replayed");
        assert_eq!(hooks.notifications().len(), 1);
    }

    async fn a_duplicate_in_another_process_is_accepted_too(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let other = HookedApp::start(&database.open().await, &vendor, hooks.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        let first = tokio::spawn({
            let listener = process.listener.clone();
            let request = async_provision(&key);
            async move { listener.provision(request).await }
        });
        gate.entered().await;
        accepted_message(other.listener.provision(async_provision(&key)).await);
        accepted_message(soon("the first answer", first).await.unwrap());
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), [PROVISIONED]);
        assert!(Answer::from(other.listener.provision(async_provision(&key)).await).is_done());
    }

    async fn a_late_refusal_is_notified(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let (key, gate) = (key(), Gate::new());
        vendor.script(&key, [Act::Wait(gate.clone()), Act::Refuse("Sold out.")]);
        accepted_message(process.listener.provision(async_provision(&key)).await);
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), ["not provisioned: Refused"]);
        assert_eq!(state(&ledger, &key).await, State::Refused);
        assert_eq!(
            Answer::from(process.listener.provision(async_provision(&key)).await),
            Answer::Failed(FailureKind::Refused)
        );
    }

    async fn a_permanently_failing_provision_is_notified_and_deprovisioned(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        vendor.script(&key, (0..12).map(|_| Act::FailAfter("no connection")));
        accepted_message(process.listener.provision(async_provision(&key)).await);
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), ["not provisioned: Unavailable"]);
        // everything that the attempts created is gone
        assert_eq!(state(&ledger, &key).await, State::Deprovisioned);
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 0, "nothing is parked: the customer was notified");
    }

    async fn another_process_completes_and_notifies_after_a_crash(database: Database) {
        let hooks = RecordingHooks::default();
        database.migrated().await;
        let first = database.options().lease_duration(Duration::from_millis(500)).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let (key, gate) = (key(), vendor.stop_at(""));
        vendor.script(&key, [Act::Wait(gate.clone())]);
        let process = SimulatedProcess::start();
        let accepted = {
            let (vendor, hooks, request) = (vendor.clone(), hooks.clone(), async_provision(&key));
            process.spawn(async move {
                let app = HookedApp::start(&first, &vendor, hooks);
                let message = accepted_message(app.listener.provision(request).await);
                std::mem::forget(app); // its worker lives as long as the process
                message
            })
        };
        soon("the provision is accepted", accepted).await.unwrap();
        process.kill();
        let ledger = database.open().await;
        let _next = HookedApp::start(&ledger, &vendor, hooks.clone());
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), [PROVISIONED]);
        assert_eq!((vendor.calls(&key).await.len(), vendor.duplicates().await), (2, 0));
    }

    async fn a_notification_cut_off_by_a_crash_is_repeated(database: Database) {
        let hooks = RecordingHooks::default();
        database.migrated().await;
        let first = database.options().lease_duration(Duration::from_millis(500)).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let (key, listens) = (key(), Gate::new());
        let gate = vendor.stop_at(&key);
        hooks.script_notifications([HookResult::Wait(listens.clone())]);
        let process = SimulatedProcess::start();
        let accepted = {
            let (vendor, hooks, request) = (vendor.clone(), hooks.clone(), async_provision(&key));
            process.spawn(async move {
                let app = HookedApp::start(&first, &vendor, hooks);
                let message = accepted_message(app.listener.provision(request).await);
                std::mem::forget(app);
                message
            })
        };
        soon("the provision is accepted", accepted).await.unwrap();
        gate.open();
        listens.entered().await;
        process.kill();
        let ledger = database.open().await;
        let view = ledger.resource(&key).await.unwrap().unwrap();
        assert!(view.timeline[0].is_notification_pending && view.state == State::Provisioning);
        let _next = HookedApp::start(&ledger, &vendor, hooks.clone());
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), [PROVISIONED, PROVISIONED]);
        assert_eq!(vendor.calls(&key).await.len(), 1, "completed work is not repeated");
    }

    async fn a_failed_notification_is_retried(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        hooks.script_notifications((0..20).map(|_| HookResult::Fail(FailureKind::Unavailable)));
        accepted_message(process.listener.provision(async_provision(&key)).await);
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications().len(), 21, "notifications are not limited by the maximum of attempts");
        assert_eq!(state(&ledger, &key).await, State::Provisioned);
        assert_eq!(vendor.calls(&key).await.len(), 1);
    }

    async fn a_refused_notification_is_parked_and_can_be_retried(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        hooks.script_notifications([HookResult::Fail(FailureKind::Refused)]);
        accepted_message(process.listener.provision(async_provision(&key)).await);
        gate.open();
        until("an entry is parked", || async { ledger.stats().await.unwrap().parked_operations == 1 }).await;
        let view = ledger.resource(&key).await.unwrap().unwrap();
        assert_eq!(view.timeline[0].last_error.as_deref(), Some("Notifications are refused."));
        assert!(ledger.operator("ada").retry(view.timeline[0].id).await.unwrap());
        wait_until_idle(&ledger).await;
        assert_eq!(state(&ledger, &key).await, State::Provisioned);
        assert_eq!((hooks.notifications().len(), vendor.calls(&key).await.len()), (2, 1));
    }

    async fn a_provision_that_the_marketplace_gave_up_is_deprovisioned(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        hooks.script_notifications([HookResult::Fail(FailureKind::Gone)]);
        accepted_message(process.listener.provision(async_provision(&key)).await);
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(state(&ledger, &key).await, State::Deprovisioned);
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(
            Answer::from(process.listener.provision(async_provision(&key)).await),
            Answer::Failed(FailureKind::Gone)
        );
    }

    async fn a_deprovision_during_a_provision_wins_without_a_notification(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        accepted_message(process.listener.provision(async_provision(&key)).await);
        let deprovisioning = tokio::spawn({
            let (listener, request) = (process.listener.clone(), deprovision(&key));
            async move { listener.deprovision(request).await }
        });
        until("the deprovision is recorded", || async { state(&ledger, &key).await == State::Deprovisioning }).await;
        gate.open();
        assert!(Answer::from(soon("the deprovision", deprovisioning).await.unwrap()).is_done());
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), [""; 0]);
        assert_eq!(vendor.widget(&key).await, None);
    }

    async fn a_deprovision_does_not_wait_for_failing_notifications(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        hooks.script_notifications((0..10_000).map(|_| HookResult::Fail(FailureKind::Unavailable)));
        accepted_message(process.listener.provision(async_provision(&key)).await);
        gate.open();
        until("a notification was sent", || async { !hooks.notifications().is_empty() }).await;
        assert!(Answer::from(process.listener.deprovision(deprovision(&key)).await).is_done());
        assert_eq!(state(&ledger, &key).await, State::Deprovisioned);
        assert_eq!(ledger.stats().await.unwrap().open_operations, 0);
    }

    async fn a_slow_plan_change_is_accepted_and_notified(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        process.listener.provision(basic(&key)).await.expect("a widget");
        let gate = vendor.stop_at(&key);
        let mut change = plan_change(&key, "premium");
        change.context.async_after = Some(ASYNC_AFTER);
        accepted_message(process.listener.plan_change(change.clone()).await);
        accepted_message(process.listener.plan_change(change.clone()).await);
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), [r#"plan changed ["A_FIRST"]"#]);
        assert!(
            Answer::from(process.listener.plan_change(change).await).is_done(),
            "a change to the current plan needs no call"
        );
        assert_eq!(vendor.calls(&key).await.len(), 2);
        let replay = process.listener.provision(basic(&key)).await.expect("a replay").done().expect("a reply");
        assert!(replay.describe().contains(r#"("A_FIRST", "premium")"#), "a replay has the current config");
    }

    async fn a_late_refusal_of_a_plan_change_is_notified(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let (key, gate) = (key(), Gate::new());
        process.listener.provision(basic(&key)).await.expect("a widget");
        vendor.script(&key, [Act::Wait(gate.clone()), Act::Refuse("The cluster is full.")]);
        let mut change = plan_change(&key, "premium");
        change.context.async_after = Some(ASYNC_AFTER);
        accepted_message(process.listener.plan_change(change).await);
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), ["plan not changed: Refused"]);
        let view = ledger.resource(&key).await.unwrap().unwrap();
        assert_eq!((view.state, view.plan.as_deref()), (State::Provisioned, Some("basic")));
    }

    async fn a_slow_deprovision_is_accepted_and_notified(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        process.listener.provision(basic(&key)).await.expect("a widget");
        let gate = vendor.stop_at(&key);
        let mut deprovisioning = deprovision(&key);
        deprovisioning.context.async_after = Some(ASYNC_AFTER);
        accepted_message(process.listener.deprovision(deprovisioning.clone()).await);
        assert_eq!(state(&ledger, &key).await, State::Deprovisioning);
        gate.open();
        wait_until_idle(&ledger).await;
        assert_eq!(hooks.notifications(), ["deprovisioned"]);
        assert_eq!(state(&ledger, &key).await, State::Deprovisioned);
        assert_eq!(Answer::from(process.listener.deprovision(deprovisioning).await), Answer::Failed(FailureKind::Gone));
    }

    async fn without_platform_hooks_nothing_is_accepted(database: Database) {
        let ledger = database.ledger().await;
        let mut vendor = Vendor::new(database.pool().await).await;
        vendor.work = 2 * ASYNC_AFTER;
        let key = key();
        assert!(Answer::from(ledger.wrap(vendor).provision(async_provision(&key)).await).is_done());
    }

    async fn alarms_are_raised_after_one_six_and_eleven_hours(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        // a process that takes the operation over, as its lease has expired by the later clock, waits too
        let gate = Gate::new();
        vendor.script(&key, (0..100).map(|_| Act::Wait(gate.clone())));
        accepted_message(process.listener.provision(async_provision(&key)).await);
        let pool = database.pool().await;
        let alarms = || async {
            let row = pool
                .fetch_one("SELECT CAST(alarm_level AS BIGINT) FROM maitre_operations")
                .await
                .expect("an operation");
            row.get::<i64, _>(0)
        };
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        for (offset, expected) in [
            (minutes(59), 0),
            (minutes(61), 1),
            (minutes(5 * 60 + 59), 1),
            (minutes(6 * 60 + 1), 2),
            (minutes(10 * 60 + 59), 2),
            (minutes(11 * 60 + 1), 3),
        ] {
            // the worker of another process, with a later clock, sweeps when it starts
            let late = ledger_at(&database, offset).await;
            let _worker = HookedApp::start(&late, &vendor, hooks.clone());
            if expected > 0 {
                until("the alarm is raised", || async { alarms().await == expected }).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(alarms().await, expected, "after {offset:?}");
        }
        gate.open();
    }

    async fn a_provision_past_the_completion_deadline_is_deprovisioned(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        {
            let process = HookedApp::start(&ledger, &vendor, hooks.clone());
            let gate = vendor.stop_at(&key);
            hooks.script_notifications((0..10_000).map(|_| HookResult::Fail(FailureKind::Unavailable)));
            accepted_message(process.listener.provision(async_provision(&key)).await);
            gate.open();
            until("a notification was sent", || async { !hooks.notifications().is_empty() }).await;
        }
        assert!(vendor.widget(&key).await.is_some());
        let late = ledger_at(&database, COMPLETION_DEADLINE + Duration::from_mins(1)).await;
        let _worker = HookedApp::start(&late, &vendor, hooks.clone());
        until("the resource is deprovisioned", || async { state(&late, &key).await == State::Deprovisioned }).await;
        assert_eq!(vendor.widget(&key).await, None);
    }

    async fn an_unreported_deprovision_ends_at_the_completion_deadline(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        {
            let process = HookedApp::start(&ledger, &vendor, hooks.clone());
            process.listener.provision(basic(&key)).await.expect("a widget");
            let gate = vendor.stop_at(&key);
            hooks.script_notifications((0..10_000).map(|_| HookResult::Fail(FailureKind::Unavailable)));
            let mut deprovisioning = deprovision(&key);
            deprovisioning.context.async_after = Some(ASYNC_AFTER);
            accepted_message(process.listener.deprovision(deprovisioning).await);
            gate.open();
            until("a notification was sent", || async { hooks.notifications().len() > 2 }).await;
        }
        assert_eq!(state(&ledger, &key).await, State::Deprovisioning);
        let late = ledger_at(&database, COMPLETION_DEADLINE + Duration::from_mins(1)).await;
        let _worker = HookedApp::start(&late, &vendor, hooks.clone());
        wait_until_idle(&late).await;
        assert_eq!((state(&late, &key).await, vendor.widget(&key).await), (State::Deprovisioned, None));
        assert_eq!(vendor.calls(&key).await.len(), 2, "the notification is repeated, the work is not");
    }
}
