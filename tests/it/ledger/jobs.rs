//! Jobs: enqueued once, run at least once, independent of each other.

use std::time::Duration;

use maitre_core::{Backend, FailureKind, Job, OauthGrant, Provision, ResourceId};
use maitre_ledger::{Keys, Ledger};
use time::OffsetDateTime;

use super::support::{
    Act, Answer, Database, Gate, HookResult, HookedApp, KEY, RecordingHooks, SimulatedProcess, Vendor, addon, basic,
    deprovision, key, soon, until,
};

fn provision_with_grant(key: &str, code: &str) -> Provision {
    let mut request = basic(key);
    request.oauth_grant = Some(OauthGrant::new(code, OffsetDateTime::now_utc() + Duration::from_mins(5)));
    request
}

async fn wait_for_jobs(ledger: &Ledger) {
    until("all jobs are done", || async { ledger.stats().await.unwrap().open_jobs == 0 }).await;
}

on_both_databases! {
    async fn a_grant_is_exchanged_while_its_provision_runs(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        let provision = tokio::spawn({
            let (listener, request) = (process.listener.clone(), provision_with_grant(&key, "g1"));
            async move { listener.provision(request).await }
        });
        gate.entered().await;
        until("the grant is exchanged", || async { !hooks.job_runs().is_empty() }).await;
        gate.open();
        assert!(Answer::from(soon("the provision", provision).await.unwrap()).is_done());
        wait_for_jobs(&ledger).await;
        // the same grant is the same job; a newer grant is another job
        process.listener.provision(provision_with_grant(&key, "g1")).await.expect("a replay");
        wait_for_jobs(&ledger).await;
        assert_eq!(hooks.job_runs(), [format!("grant {key} g1")]);
        process.listener.provision(provision_with_grant(&key, "g2")).await.expect("a replay");
        wait_for_jobs(&ledger).await;
        assert_eq!(hooks.job_runs(), [format!("grant {key} g1"), format!("grant {key} g2")]);
    }

    async fn a_failed_job_is_retried_and_a_refused_job_is_parked(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let unavailable = HookResult::Fail(FailureKind::Unavailable);
        hooks.script_jobs([unavailable.clone(), unavailable, HookResult::Fail(FailureKind::Refused)]);
        let process = HookedApp::start(&ledger, &vendor, hooks.clone());
        let key = key();
        process.listener.provision(provision_with_grant(&key, "g1")).await.expect("a widget");
        until("an entry is parked", || async { ledger.stats().await.unwrap().parked_jobs == 1 }).await;
        let [parked] = &ledger.parked_jobs().await.unwrap()[..] else { panic!("one job") };
        assert_eq!((parked.kind.as_str(), parked.resource.as_deref()), ("grant", Some(&*key)));
        assert_eq!(parked.last_error.as_deref(), Some("Notifications are refused."));
        assert_eq!(hooks.job_runs().len(), 3);
        assert!(ledger.operator("ada").retry_job(parked.id).await.unwrap());
        wait_for_jobs(&ledger).await;
        assert_eq!((hooks.job_runs().len(), ledger.stats().await.unwrap().parked_jobs), (4, 0));
    }

    async fn a_hanging_or_failing_job_does_not_block_others(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let hangs = Gate::new();
        hooks.script_jobs([HookResult::Wait(hangs.clone()), HookResult::Fail(FailureKind::Refused)]);
        let store = ledger.store();
        for name in ["poison 1", "poison 2", "c", "d"] {
            assert!(store.enqueue(&addon(), Job::new("event", name, name.into())).await.unwrap());
        }
        assert!(
            !store.enqueue(&addon(), Job::new("event", "c", "again".into())).await.unwrap(),
            "the job is a duplicate"
        );
        let _process = HookedApp::start(&ledger, &vendor, hooks.clone());
        until("the other jobs are done", || async { hooks.job_runs().len() == 4 }).await;
        hangs.open();
        wait_for_jobs(&ledger).await;
        assert!(
            !store.enqueue(&addon(), Job::new("event", "c", "again".into())).await.unwrap(),
            "completed jobs are remembered"
        );
        assert_eq!(hooks.job_runs().len(), 4);
    }

    async fn a_snoozed_job_waits_and_continues_with_its_new_payload(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        ledger.wrap(vendor.clone()).provision(basic(&key)).await.expect("a widget");
        hooks.script_jobs([
            HookResult::Snooze(Duration::from_hours(2), "second"),
            HookResult::Fail(FailureKind::Unavailable),
            HookResult::Snooze(Duration::ZERO, "third"),
        ]);
        let job = Job::new("rotation", "1", b"first".to_vec()).with_resource(&*key);
        ledger.store().enqueue(&addon(), job).await.unwrap();
        {
            let _process = HookedApp::start(&ledger, &vendor, hooks.clone());
            until("the first step has run", || async { !hooks.job_runs().is_empty() }).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(hooks.job_runs().len(), 1, "the job is snoozed");
        }
        let later = Ledger::builder(&database.url).keys(Keys::parse(KEY).unwrap());
        let later = later.max_attempts(12).backoff(Duration::from_millis(1), Duration::from_millis(4));
        let later = later.clock_offset(Duration::from_hours(2) + Duration::from_mins(1)).open().await.unwrap();
        let _process = HookedApp::start(&later, &vendor, hooks.clone());
        wait_for_jobs(&later).await;
        let steps: Vec<_> = hooks.job_runs().iter().map(|run| run.rsplit(' ').next().unwrap().to_owned()).collect();
        assert_eq!(steps, ["first", "second", "second", "third"]);
    }

    async fn a_job_of_a_dead_process_is_run_by_another(database: Database) {
        let hooks = RecordingHooks::default();
        database.migrated().await;
        let first = database.options().lease_duration(Duration::from_millis(500)).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let hangs = Gate::new();
        hooks.script_jobs([HookResult::Wait(hangs.clone())]);
        let process = SimulatedProcess::start();
        let (key, provisioned) = (key(), {
            let (vendor, hooks) = (vendor.clone(), hooks.clone());
            let key = key();
            process.spawn(async move {
                let app = HookedApp::start(&first, &vendor, hooks);
                let done = app.listener.provision(provision_with_grant(&key, "g1")).await.is_ok();
                std::mem::forget(app);
                done
            })
        });
        assert!(soon("the provision", provisioned).await.unwrap());
        hangs.entered().await;
        process.kill();
        drop(key);
        let ledger = database.open().await;
        let _next = HookedApp::start(&ledger, &vendor, hooks.clone());
        wait_for_jobs(&ledger).await;
        assert_eq!(hooks.job_runs().len(), 2);
    }

    async fn a_job_past_its_deadline_is_parked_without_a_run(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        // no worker runs yet: these jobs are only enqueued
        let job = |name: &str| Job::new("grant", name, name.into());
        let ends = OffsetDateTime::now_utc() + Duration::from_mins(5);
        ledger.store().enqueue(&addon(), job("g1").with_deadline(ends)).await.unwrap();
        ledger.store().enqueue(&addon(), job("g2").with_deadline(ends + Duration::from_mins(5))).await.unwrap();
        let late = Ledger::builder(&database.url).keys(Keys::parse(KEY).unwrap());
        let late = late.clock_offset(Duration::from_mins(5) + Duration::from_secs(1)).open().await.unwrap();
        let _process = HookedApp::start(&late, &vendor, hooks.clone());
        wait_for_jobs(&late).await;
        assert_eq!(hooks.job_runs(), ["grant  g2"], "g1 is past its deadline");
        let [parked] = &late.parked_jobs().await.unwrap()[..] else { panic!("one job") };
        assert_eq!(parked.last_error.as_deref(), Some("deadline missed"));
    }

    async fn jobs_and_values_are_deleted_with_their_resource(database: Database) {
        let (ledger, hooks) = (database.ledger().await, RecordingHooks::default());
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        listener.provision(basic(&key)).await.expect("a widget");
        let resource = ResourceId::from(&*key);
        let store = ledger.store();
        let job = Job::new("rotation", "1", b"first".to_vec()).with_resource(&*key);
        store.enqueue(&addon(), job).await.unwrap();
        assert!(store.write(&addon(), &resource, "token", b"HRKU-1", 0).await.unwrap());
        vendor.script(&key, [Act::Fail("no connection")]);
        assert!(!Answer::from(listener.deprovision(deprovision(&key)).await).is_done());
        assert!(store.read(&addon(), &resource, "token").await.unwrap().is_some(), "the deprovision may need it");
        assert!(Answer::from(listener.deprovision(deprovision(&key)).await).is_done());
        assert!(store.read(&addon(), &resource, "token").await.unwrap().is_none());
        assert!(
            !store.write(&addon(), &resource, "token", b"HRKU-2", 0).await.unwrap(),
            "no value is stored for a deprovisioned resource"
        );
        let _process = HookedApp::start(&ledger, &vendor, hooks.clone());
        wait_for_jobs(&ledger).await;
        assert_eq!(hooks.job_runs(), [""; 0]);
    }

    async fn a_value_is_written_only_over_the_version_that_was_read(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        ledger.wrap(vendor).provision(basic(&key)).await.expect("a widget");
        let (resource, store) = (ResourceId::from(&*key), database.open().await.store());
        assert!(store.write(&addon(), &resource, "token", b"first", 0).await.unwrap());
        assert!(!store.write(&addon(), &resource, "token", b"other", 0).await.unwrap());
        assert!(store.write(&addon(), &resource, "token", b"second", 1).await.unwrap());
        assert!(!store.write(&addon(), &resource, "token", b"late", 1).await.unwrap());
        let read = ledger.store().read(&addon(), &resource, "token").await.unwrap().expect("a value");
        assert_eq!((&read.value[..], read.version), (&b"second"[..], 2));
    }

    async fn a_lock_has_one_owner_at_a_time(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        ledger.wrap(vendor).provision(basic(&key)).await.expect("a widget");
        let (resource, length) = (ResourceId::from(&*key), Duration::from_secs(30));
        let (mine, yours) = (ledger.store(), database.open().await.store());
        assert!(mine.try_lock(&addon(), &resource, "refresh", length).await.unwrap());
        assert!(!yours.try_lock(&addon(), &resource, "refresh", length).await.unwrap());
        assert!(
            !mine.try_lock(&addon(), &resource, "refresh", length).await.unwrap(),
            "another task of the same process"
        );
        yours.unlock(&addon(), &resource, "refresh").await.unwrap();
        assert!(!yours.try_lock(&addon(), &resource, "refresh", length).await.unwrap(), "only the owner can unlock");
        mine.unlock(&addon(), &resource, "refresh").await.unwrap();
        assert!(yours.try_lock(&addon(), &resource, "refresh", length).await.unwrap());
        let later =
            Ledger::builder(&database.url).keys(Keys::parse(KEY).unwrap()).clock_offset(length).open().await.unwrap();
        assert!(later.store().try_lock(&addon(), &resource, "refresh", length).await.unwrap(), "locks expire");
    }

    async fn a_replay_has_the_rotated_config(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor);
        let key = key();
        listener.provision(basic(&key)).await.expect("a widget");
        let mut config = maitre_core::ConfigVars::default();
        config.set("WIDGET_URL", "https://new.example.org");
        let resource = ResourceId::from(&*key);
        assert!(ledger.store().update_config(&addon(), &resource, &config).await.unwrap());
        let replay = listener.provision(basic(&key)).await.expect("a replay").done().expect("a reply");
        let vars: Vec<_> = replay.config().iter().map(|(name, value)| (name, value.expose())).collect();
        assert_eq!(vars, [("WIDGET_URL", "https://new.example.org"), ("A_FIRST", "basic")]);
    }
}
