//! Asynchronous operations: accepted, completed in the background, and reported to the marketplace: exactly once if the
//! notification succeeds.

use std::time::Duration;

use maitre_core::{Backend, FailureKind, Outcome, Provision, Result};
use maitre_ledger::{Keys, Ledger, State};
use sqlx::{Executor, Row};

use super::support::{
    Act, Answer, Database, Follower, Following, Gate, Hears, KEY, PATIENCE, Process, Seen, Vendor, basic, key, plan,
    remove, soon, until,
};

/// Long enough for immediate work, and short enough for a test.
const GIVE_WAY: Duration = Duration::from_millis(150);
const TOLD: &str = r#"provisioned ["WIDGET_URL", "A_FIRST"]"#;

/// Returns a provision that may be answered "accepted".
fn patient(key: &str) -> Provision {
    let mut request = basic(key);
    request.context.async_after = Some(GIVE_WAY);
    request
}

/// Returns the message that the customer gets with a 202.
fn sentence<T: Seen>(result: Result<Outcome<T>>) -> String {
    match result {
        Ok(Outcome::Accepted { message, .. }) => message,
        other => panic!("not accepted: {:?}", other.map(|outcome| outcome.seen())),
    }
}

async fn state(ledger: &Ledger, key: &str) -> State {
    ledger.resource(key).await.unwrap().expect("a resource").state
}

async fn settled(ledger: &Ledger) {
    until("all is done", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
}

async fn at(database: &Database, offset: Duration) -> Ledger {
    let rest = Duration::from_millis(1);
    let options =
        Ledger::builder(&database.url).keys(Keys::parse(KEY).unwrap()).max_attempts(12).backoff(rest, 4 * rest);
    options.clock_offset(offset).open().await.expect("a ledger")
}

on_both_databases! {
    async fn a_fast_provision_is_answered_without_a_notification(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        let mut request = basic(&key);
        request.context.async_after = Some(Duration::from_mins(1));
        let reply = process.kept.provision(request).await.expect("a reply").done().expect("a reply");
        assert_eq!(reply.id().as_str(), key, "where it might have been accepted, the id is the key");
        settled(&ledger).await;
        assert_eq!(follower.told(), [""; 0]);
        // the provider id is known nevertheless
        let changed = process.kept.plan_change(plan(&format!("w-{key}"), "premium")).await;
        assert!(Answer::from(changed).is_done());
    }

    async fn a_slow_provision_is_accepted_and_notified_on_completion(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let (key, gate) = (key(), Gate::new());
        vendor.tell(&key, [Act::Say("Your widget is being forged."), Act::Wait(gate.clone())]);

        assert!(!sentence(process.kept.provision(patient(&key)).await).is_empty());
        gate.entered().await;
        until("its progress is written", || async {
            ledger.resource(&key).await.unwrap().unwrap().timeline[0].progress.is_some()
        })
        .await;
        // a repeated request joins the same operation
        assert_eq!(sentence(process.kept.provision(patient(&key)).await), "Your widget is being forged.");
        let view = ledger.resource(&key).await.unwrap().unwrap();
        assert_eq!((view.state, view.timeline.len()), (State::Provisioning, 1));
        assert!(view.timeline[0].accepted_at.is_some() && !view.timeline[0].is_notification_pending);

        gate.open();
        settled(&ledger).await;
        assert_eq!(follower.told(), [TOLD]);
        assert_eq!(vendor.calls(&key).await.len(), 1);
        let replay = process.kept.provision(patient(&key)).await.expect("a replay").done().expect("a reply");
        assert_eq!(replay.id().as_str(), key);
        assert_eq!(replay.config().iter().len(), 2, "what is done is answered as done");
        assert_eq!(follower.told().len(), 1);
    }

    async fn a_duplicate_in_another_process_is_accepted_too(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let other = Following::start(&database.open().await, &vendor, follower.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        let first = tokio::spawn({
            let kept = process.kept.clone();
            let request = patient(&key);
            async move { kept.provision(request).await }
        });
        gate.entered().await;
        sentence(other.kept.provision(patient(&key)).await);
        sentence(soon("the first answer", first).await.unwrap());
        gate.open();
        settled(&ledger).await;
        assert_eq!(follower.told(), [TOLD]);
        assert!(Answer::from(other.kept.provision(patient(&key)).await).is_done());
    }

    async fn a_late_refusal_is_notified(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let (key, gate) = (key(), Gate::new());
        vendor.tell(&key, [Act::Wait(gate.clone()), Act::Refuse("Sold out.")]);
        sentence(process.kept.provision(patient(&key)).await);
        gate.open();
        settled(&ledger).await;
        assert_eq!(follower.told(), ["not provisioned: Refused"]);
        assert_eq!(state(&ledger, &key).await, State::Refused);
        assert_eq!(Answer::from(process.kept.provision(patient(&key)).await), Answer::Failed(FailureKind::Refused));
    }

    async fn a_permanently_failing_provision_is_notified_and_deprovisioned(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        vendor.tell(&key, (0..12).map(|_| Act::FailAfter("no connection")));
        sentence(process.kept.provision(patient(&key)).await);
        gate.open();
        settled(&ledger).await;
        assert_eq!(follower.told(), ["not provisioned: Unavailable"]);
        // everything that the attempts created is gone
        assert_eq!(state(&ledger, &key).await, State::Deprovisioned);
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(ledger.stats().await.unwrap().parked_operations, 0, "nobody has to look: the customer knows");
    }

    async fn another_process_completes_and_notifies_after_a_crash(database: Database) {
        let follower = Follower::default();
        database.migrated().await;
        let first = database.options().lease_duration(Duration::from_millis(500)).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let (key, gate) = (key(), vendor.stop_at(""));
        vendor.tell(&key, [Act::Wait(gate.clone())]);
        let process = Process::start();
        let accepted = {
            let (vendor, follower, request) = (vendor.clone(), follower.clone(), patient(&key));
            process.spawn(async move {
                let following = Following::start(&first, &vendor, follower);
                let said = sentence(following.kept.provision(request).await);
                std::mem::forget(following); // its worker lives as long as the process
                said
            })
        };
        soon("it is accepted", accepted).await.unwrap();
        process.kill();
        let ledger = database.open().await;
        let _next = Following::start(&ledger, &vendor, follower.clone());
        settled(&ledger).await;
        assert_eq!(follower.told(), [TOLD]);
        assert_eq!((vendor.calls(&key).await.len(), vendor.doubles().await), (2, 0));
    }

    async fn a_notification_cut_off_by_a_crash_is_repeated(database: Database) {
        let follower = Follower::default();
        database.migrated().await;
        let first = database.options().lease_duration(Duration::from_millis(500)).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let (key, listens) = (key(), Gate::new());
        let gate = vendor.stop_at(&key);
        follower.hears([Hears::Later(listens.clone())]);
        let process = Process::start();
        let accepted = {
            let (vendor, follower, request) = (vendor.clone(), follower.clone(), patient(&key));
            process.spawn(async move {
                let following = Following::start(&first, &vendor, follower);
                let said = sentence(following.kept.provision(request).await);
                std::mem::forget(following);
                said
            })
        };
        soon("it is accepted", accepted).await.unwrap();
        gate.open();
        listens.entered().await;
        process.kill();
        let ledger = database.open().await;
        let view = ledger.resource(&key).await.unwrap().unwrap();
        assert!(view.timeline[0].is_notification_pending && view.state == State::Provisioning);
        let _next = Following::start(&ledger, &vendor, follower.clone());
        settled(&ledger).await;
        assert_eq!(follower.told(), [TOLD, TOLD]);
        assert_eq!(vendor.calls(&key).await.len(), 1, "what is done is not done again");
    }

    async fn a_failed_notification_is_retried(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        follower.hears((0..20).map(|_| Hears::Nothing(FailureKind::Unavailable)));
        sentence(process.kept.provision(patient(&key)).await);
        gate.open();
        settled(&ledger).await;
        assert_eq!(follower.told().len(), 21, "more often than the limit of tries: the marketplace gives up first");
        assert_eq!(state(&ledger, &key).await, State::Provisioned);
        assert_eq!(vendor.calls(&key).await.len(), 1);
    }

    async fn a_refused_notification_is_parked_and_can_be_retried(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        follower.hears([Hears::Nothing(FailureKind::Refused)]);
        sentence(process.kept.provision(patient(&key)).await);
        gate.open();
        until("it is parked", || async { ledger.stats().await.unwrap().parked_operations == 1 }).await;
        let view = ledger.resource(&key).await.unwrap().unwrap();
        assert_eq!(view.timeline[0].last_error.as_deref(), Some("It will not listen."));
        assert!(ledger.retry(view.timeline[0].id).await.unwrap());
        settled(&ledger).await;
        assert_eq!(state(&ledger, &key).await, State::Provisioned);
        assert_eq!((follower.told().len(), vendor.calls(&key).await.len()), (2, 1));
    }

    async fn a_provision_that_the_marketplace_gave_up_is_deprovisioned(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        follower.hears([Hears::Nothing(FailureKind::Gone)]);
        sentence(process.kept.provision(patient(&key)).await);
        gate.open();
        settled(&ledger).await;
        assert_eq!(state(&ledger, &key).await, State::Deprovisioned);
        assert_eq!(vendor.widget(&key).await, None);
        assert_eq!(Answer::from(process.kept.provision(patient(&key)).await), Answer::Failed(FailureKind::Gone));
    }

    async fn a_deprovision_during_a_provision_wins_without_a_notification(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        sentence(process.kept.provision(patient(&key)).await);
        let removal = tokio::spawn({
            let (kept, request) = (process.kept.clone(), remove(&key));
            async move { kept.deprovision(request).await }
        });
        until("its removal is written", || async { state(&ledger, &key).await == State::Deprovisioning }).await;
        gate.open();
        assert!(Answer::from(soon("the removal", removal).await.unwrap()).is_done());
        settled(&ledger).await;
        assert_eq!(follower.told(), [""; 0]);
        assert_eq!(vendor.widget(&key).await, None);
    }

    async fn a_deprovision_does_not_wait_for_failing_notifications(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        follower.hears((0..10_000).map(|_| Hears::Nothing(FailureKind::Unavailable)));
        sentence(process.kept.provision(patient(&key)).await);
        gate.open();
        until("it is told", || async { !follower.told().is_empty() }).await;
        assert!(Answer::from(process.kept.deprovision(remove(&key)).await).is_done());
        assert_eq!(state(&ledger, &key).await, State::Deprovisioned);
        assert_eq!(ledger.stats().await.unwrap().open_operations, 0);
    }

    async fn a_slow_plan_change_is_accepted_and_notified(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        process.kept.provision(basic(&key)).await.expect("a widget");
        let gate = vendor.stop_at(&key);
        let mut change = plan(&key, "premium");
        change.context.async_after = Some(GIVE_WAY);
        sentence(process.kept.plan_change(change.clone()).await);
        sentence(process.kept.plan_change(change.clone()).await);
        gate.open();
        settled(&ledger).await;
        assert_eq!(follower.told(), [r#"plan changed ["A_FIRST"]"#]);
        assert!(Answer::from(process.kept.plan_change(change).await).is_done(), "the plan that it has needs no call");
        assert_eq!(vendor.calls(&key).await.len(), 2);
        let replay = process.kept.provision(basic(&key)).await.expect("a replay").done().expect("a reply");
        assert!(replay.seen().contains(r#"("A_FIRST", "premium")"#), "a replay has the config of today");
    }

    async fn a_late_refusal_of_a_plan_change_is_notified(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let (key, gate) = (key(), Gate::new());
        process.kept.provision(basic(&key)).await.expect("a widget");
        vendor.tell(&key, [Act::Wait(gate.clone()), Act::Refuse("It is full.")]);
        let mut change = plan(&key, "premium");
        change.context.async_after = Some(GIVE_WAY);
        sentence(process.kept.plan_change(change).await);
        gate.open();
        settled(&ledger).await;
        assert_eq!(follower.told(), ["plan not changed: Refused"]);
        let view = ledger.resource(&key).await.unwrap().unwrap();
        assert_eq!((view.state, view.plan.as_deref()), (State::Provisioned, Some("basic")));
    }

    async fn a_slow_deprovision_is_accepted_and_notified(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        process.kept.provision(basic(&key)).await.expect("a widget");
        let gate = vendor.stop_at(&key);
        let mut removal = remove(&key);
        removal.context.async_after = Some(GIVE_WAY);
        sentence(process.kept.deprovision(removal.clone()).await);
        assert_eq!(state(&ledger, &key).await, State::Deprovisioning);
        gate.open();
        settled(&ledger).await;
        assert_eq!(follower.told(), ["deprovisioned"]);
        assert_eq!(state(&ledger, &key).await, State::Deprovisioned);
        assert_eq!(Answer::from(process.kept.deprovision(removal).await), Answer::Failed(FailureKind::Gone));
    }

    async fn without_platform_hooks_nothing_is_accepted(database: Database) {
        let ledger = database.ledger().await;
        let mut vendor = Vendor::new(database.pool().await).await;
        vendor.work = 2 * GIVE_WAY;
        let key = key();
        assert!(Answer::from(ledger.wrap(vendor).provision(patient(&key)).await).is_done());
    }

    async fn alarms_are_raised_after_one_six_and_eleven_hours(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        // a process that takes the operation over, as its lease has expired by the later clock, waits too
        let gate = Gate::new();
        vendor.tell(&key, (0..100).map(|_| Act::Wait(gate.clone())));
        sentence(process.kept.provision(patient(&key)).await);
        let pool = database.pool().await;
        let alarms = || async {
            let row = pool.fetch_one("SELECT CAST(alarm_level AS BIGINT) FROM maitre_operations").await.expect("an operation");
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
            let late = at(&database, offset).await;
            let _worker = Following::start(&late, &vendor, follower.clone());
            if expected > 0 {
                until("the alarm is raised", || async { alarms().await == expected }).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(alarms().await, expected, "after {offset:?}");
        }
        gate.open();
    }

    async fn a_provision_past_the_completion_deadline_is_deprovisioned(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        {
            let process = Following::start(&ledger, &vendor, follower.clone());
            let gate = vendor.stop_at(&key);
            follower.hears((0..10_000).map(|_| Hears::Nothing(FailureKind::Unavailable)));
            sentence(process.kept.provision(patient(&key)).await);
            gate.open();
            until("it is told", || async { !follower.told().is_empty() }).await;
        }
        assert!(vendor.widget(&key).await.is_some());
        let late = at(&database, PATIENCE + Duration::from_mins(1)).await;
        let _worker = Following::start(&late, &vendor, follower.clone());
        until("it is removed", || async { state(&late, &key).await == State::Deprovisioned }).await;
        assert_eq!(vendor.widget(&key).await, None);
    }

    async fn an_unreported_deprovision_ends_at_the_completion_deadline(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        {
            let process = Following::start(&ledger, &vendor, follower.clone());
            process.kept.provision(basic(&key)).await.expect("a widget");
            let gate = vendor.stop_at(&key);
            follower.hears((0..10_000).map(|_| Hears::Nothing(FailureKind::Unavailable)));
            let mut removal = remove(&key);
            removal.context.async_after = Some(GIVE_WAY);
            sentence(process.kept.deprovision(removal).await);
            gate.open();
            until("it is told", || async { follower.told().len() > 2 }).await;
        }
        assert_eq!(state(&ledger, &key).await, State::Deprovisioning);
        let late = at(&database, PATIENCE + Duration::from_mins(1)).await;
        let _worker = Following::start(&late, &vendor, follower.clone());
        settled(&late).await;
        assert_eq!((state(&late, &key).await, vendor.widget(&key).await), (State::Deprovisioned, None));
        assert_eq!(vendor.calls(&key).await.len(), 2, "it is told again, and not done again");
    }
}
