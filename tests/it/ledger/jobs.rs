//! Jobs: enqueued once, run at least once, independent of each other.

use std::time::Duration;

use maitre_core::{Backend, FailureKind, Job, OauthGrant, Provision, ResourceId};
use maitre_ledger::{Keys, Ledger};
use time::OffsetDateTime;

use super::support::{
    Act, Answer, Database, Follower, Following, Gate, Hears, KEY, Process, Vendor, addon, basic, key, remove, soon,
    until,
};

fn granted(key: &str, code: &str) -> Provision {
    let mut request = basic(key);
    request.oauth_grant = Some(OauthGrant::new(code, OffsetDateTime::now_utc() + Duration::from_mins(5)));
    request
}

async fn done(ledger: &Ledger) {
    until("all errands are done", || async { ledger.stats().await.unwrap().open_jobs == 0 }).await;
}

on_both_databases! {
    async fn a_grant_is_exchanged_while_its_provision_runs(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        let gate = vendor.stop_at(&key);
        let provision = tokio::spawn({
            let (kept, request) = (process.kept.clone(), granted(&key, "g1"));
            async move { kept.provision(request).await }
        });
        gate.entered().await;
        until("it is exchanged", || async { !follower.ran().is_empty() }).await;
        gate.open();
        assert!(Answer::from(soon("the provision", provision).await.unwrap()).is_done());
        done(&ledger).await;
        // the same grant is the same job; a newer grant is another job
        process.kept.provision(granted(&key, "g1")).await.expect("a replay");
        done(&ledger).await;
        assert_eq!(follower.ran(), [format!("grant {key} g1")]);
        process.kept.provision(granted(&key, "g2")).await.expect("a replay");
        done(&ledger).await;
        assert_eq!(follower.ran(), [format!("grant {key} g1"), format!("grant {key} g2")]);
    }

    async fn a_failed_job_is_retried_and_a_refused_job_is_parked(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let unavailable = Hears::Nothing(FailureKind::Unavailable);
        follower.errands([unavailable.clone(), unavailable, Hears::Nothing(FailureKind::Refused)]);
        let process = Following::start(&ledger, &vendor, follower.clone());
        let key = key();
        process.kept.provision(granted(&key, "g1")).await.expect("a widget");
        until("it is parked", || async { ledger.stats().await.unwrap().parked_jobs == 1 }).await;
        let [parked] = &ledger.parked_jobs().await.unwrap()[..] else { panic!("one errand") };
        assert_eq!((parked.kind.as_str(), parked.resource.as_deref()), ("grant", Some(&*key)));
        assert_eq!(parked.last_error.as_deref(), Some("It will not listen."));
        assert_eq!(follower.ran().len(), 3);
        assert!(ledger.retry_job(parked.id).await.unwrap());
        done(&ledger).await;
        assert_eq!((follower.ran().len(), ledger.stats().await.unwrap().parked_jobs), (4, 0));
    }

    async fn a_hanging_or_failing_job_does_not_block_others(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let hangs = Gate::new();
        follower.errands([Hears::Later(hangs.clone()), Hears::Nothing(FailureKind::Refused)]);
        let records = ledger.store();
        for name in ["poison 1", "poison 2", "c", "d"] {
            assert!(records.enqueue(&addon(), Job::new("event", name, name.into())).await.unwrap());
        }
        assert!(!records.enqueue(&addon(), Job::new("event", "c", "again".into())).await.unwrap(), "it is the same one");
        let _process = Following::start(&ledger, &vendor, follower.clone());
        until("the others are done", || async { follower.ran().len() == 4 }).await;
        hangs.open();
        done(&ledger).await;
        assert!(!records.enqueue(&addon(), Job::new("event", "c", "again".into())).await.unwrap(), "it is remembered");
        assert_eq!(follower.ran().len(), 4);
    }

    async fn a_snoozed_job_waits_and_continues_with_its_new_payload(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        ledger.wrap(vendor.clone()).provision(basic(&key)).await.expect("a widget");
        follower.errands([
            Hears::Step(Duration::from_hours(2), "second"),
            Hears::Nothing(FailureKind::Unavailable),
            Hears::Step(Duration::ZERO, "third"),
        ]);
        let errand = Job::new("rotation", "1", b"first".to_vec()).with_resource(&*key);
        ledger.store().enqueue(&addon(), errand).await.unwrap();
        {
            let _process = Following::start(&ledger, &vendor, follower.clone());
            until("the first step", || async { !follower.ran().is_empty() }).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(follower.ran().len(), 1, "it rests");
        }
        let later = Ledger::builder(&database.url).keys(Keys::parse(KEY).unwrap());
        let later = later.max_attempts(12).backoff(Duration::from_millis(1), Duration::from_millis(4));
        let later = later.clock_offset(Duration::from_hours(2) + Duration::from_mins(1)).open().await.unwrap();
        let _process = Following::start(&later, &vendor, follower.clone());
        done(&later).await;
        let steps: Vec<_> = follower.ran().iter().map(|run| run.rsplit(' ').next().unwrap().to_owned()).collect();
        assert_eq!(steps, ["first", "second", "second", "third"]);
    }

    async fn a_job_of_a_dead_process_is_run_by_another(database: Database) {
        let follower = Follower::default();
        database.migrated().await;
        let first = database.options().lease_duration(Duration::from_millis(500)).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let hangs = Gate::new();
        follower.errands([Hears::Later(hangs.clone())]);
        let process = Process::start();
        let (key, provisioned) = (key(), {
            let (vendor, follower) = (vendor.clone(), follower.clone());
            let key = key();
            process.spawn(async move {
                let following = Following::start(&first, &vendor, follower);
                let done = following.kept.provision(granted(&key, "g1")).await.is_ok();
                std::mem::forget(following);
                done
            })
        });
        assert!(soon("the provision", provisioned).await.unwrap());
        hangs.entered().await;
        process.kill();
        drop(key);
        let ledger = database.open().await;
        let _next = Following::start(&ledger, &vendor, follower.clone());
        done(&ledger).await;
        assert_eq!(follower.ran().len(), 2);
    }

    async fn a_job_past_its_deadline_is_parked_without_a_run(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        // no worker runs yet: these jobs are only enqueued
        let errand = |name: &str| Job::new("grant", name, name.into());
        let ends = OffsetDateTime::now_utc() + Duration::from_mins(5);
        ledger.store().enqueue(&addon(), errand("g1").with_deadline(ends)).await.unwrap();
        ledger.store().enqueue(&addon(), errand("g2").with_deadline(ends + Duration::from_mins(5))).await.unwrap();
        let late = Ledger::builder(&database.url).keys(Keys::parse(KEY).unwrap());
        let late = late.clock_offset(Duration::from_mins(5) + Duration::from_secs(1)).open().await.unwrap();
        let _process = Following::start(&late, &vendor, follower.clone());
        done(&late).await;
        assert_eq!(follower.ran(), ["grant  g2"], "g1 is not exchanged in vain");
        let [parked] = &late.parked_jobs().await.unwrap()[..] else { panic!("one errand") };
        assert_eq!(parked.last_error.as_deref(), Some("too late"));
    }

    async fn jobs_and_values_are_deleted_with_their_resource(database: Database) {
        let (ledger, follower) = (database.ledger().await, Follower::default());
        let vendor = Vendor::new(database.pool().await).await;
        let kept = ledger.wrap(vendor.clone());
        let key = key();
        kept.provision(basic(&key)).await.expect("a widget");
        let resource = ResourceId::from(&*key);
        let records = ledger.store();
        let errand = Job::new("rotation", "1", b"first".to_vec()).with_resource(&*key);
        records.enqueue(&addon(), errand).await.unwrap();
        assert!(records.write(&addon(), &resource, "token", b"HRKU-1", 0).await.unwrap());
        vendor.tell(&key, [Act::Fail("no connection")]);
        assert!(!Answer::from(kept.deprovision(remove(&key)).await).is_done());
        assert!(records.read(&addon(), &resource, "token").await.unwrap().is_some(), "it may be needed for the removal");
        assert!(Answer::from(kept.deprovision(remove(&key)).await).is_done());
        assert!(records.read(&addon(), &resource, "token").await.unwrap().is_none());
        assert!(!records.write(&addon(), &resource, "token", b"HRKU-2", 0).await.unwrap(), "nothing is kept of the dead");
        let _process = Following::start(&ledger, &vendor, follower.clone());
        done(&ledger).await;
        assert_eq!(follower.ran(), [""; 0]);
    }

    async fn a_value_is_written_only_over_the_version_that_was_read(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        ledger.wrap(vendor).provision(basic(&key)).await.expect("a widget");
        let (resource, records) = (ResourceId::from(&*key), database.open().await.store());
        assert!(records.write(&addon(), &resource, "token", b"first", 0).await.unwrap());
        assert!(!records.write(&addon(), &resource, "token", b"other", 0).await.unwrap());
        assert!(records.write(&addon(), &resource, "token", b"second", 1).await.unwrap());
        assert!(!records.write(&addon(), &resource, "token", b"late", 1).await.unwrap());
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
        assert!(!mine.try_lock(&addon(), &resource, "refresh", length).await.unwrap(), "nor another task's");
        yours.unlock(&addon(), &resource, "refresh").await.unwrap();
        assert!(!yours.try_lock(&addon(), &resource, "refresh", length).await.unwrap(), "only who has it gives it back");
        mine.unlock(&addon(), &resource, "refresh").await.unwrap();
        assert!(yours.try_lock(&addon(), &resource, "refresh", length).await.unwrap());
        let later = Ledger::builder(&database.url).keys(Keys::parse(KEY).unwrap()).clock_offset(length).open().await.unwrap();
        assert!(later.store().try_lock(&addon(), &resource, "refresh", length).await.unwrap(), "it ends by itself");
    }

    async fn a_replay_has_the_rotated_config(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let kept = ledger.wrap(vendor);
        let key = key();
        kept.provision(basic(&key)).await.expect("a widget");
        let mut config = maitre_core::ConfigVars::default();
        config.set("WIDGET_URL", "https://new.example.org");
        let resource = ResourceId::from(&*key);
        assert!(ledger.store().update_config(&addon(), &resource, &config).await.unwrap());
        let replay = kept.provision(basic(&key)).await.expect("a replay").done().expect("a reply");
        let vars: Vec<_> = replay.config().iter().map(|(name, value)| (name, value.expose())).collect();
        assert_eq!(vars, [("WIDGET_URL", "https://new.example.org"), ("A_FIRST", "basic")]);
    }
}
