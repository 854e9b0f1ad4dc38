//! Operators: lists, actions with their author and reason, and the health of a process.

use maitre_core::{Backend, Job, ResourceId};
use maitre_ledger::{ActionKind, ActionView, OperationState, ResourceFilter, ResourceView, State};
use sqlx::Executor;

use super::support::{Act, Database, RunningWorker, Vendor, addon, basic, deprovision, key, provision, until};

/// Returns kind, operator and reason of the actions in a timeline.
fn actions(resource: &ResourceView) -> Vec<(ActionKind, String, Option<String>)> {
    let entry = |action: &ActionView| (action.kind, action.operator.clone(), action.reason.clone());
    resource.actions.iter().map(entry).collect()
}

fn action(kind: ActionKind, operator: &str, reason: Option<&str>) -> (ActionKind, String, Option<String>) {
    (kind, operator.to_owned(), reason.map(ToOwned::to_owned))
}

on_both_databases! {
    async fn a_filter_selects_resources_page_by_page(database: Database) {
        let ledger = database.ledger().await;
        let listener = ledger.wrap(Vendor::new(database.pool().await).await);
        let keys: Vec<_> = (0..5).map(|_| key()).collect();
        for (index, key) in keys.iter().enumerate() {
            let plan = if index == 3 { "premium" } else { "basic" };
            listener.provision(provision(key, plan)).await.expect("a widget");
        }
        listener.deprovision(deprovision(&keys[1])).await.expect("a deprovision");
        let list = async |filter: ResourceFilter| -> Vec<String> {
            let resources = ledger.resources(filter).await.unwrap();
            resources.into_iter().map(|resource| resource.key).collect()
        };
        let all = ResourceFilter::new;
        assert_eq!(list(all()).await, keys);
        assert_eq!(list(all().with_state(State::Deprovisioned)).await, [&*keys[1]]);
        assert_eq!(list(all().with_plan("premium").with_addon(addon())).await, [&*keys[3]]);
        assert!(list(all().with_addon(maitre_core::AddonId::new("elsewhere", "lantern"))).await.is_empty());
        let first = ledger.resources(all().with_limit(2)).await.unwrap();
        assert_eq!(list(all().with_limit(2).with_after(first[1].id)).await, keys[2..4]);
        assert_eq!(first[0].provider_id.as_deref(), Some(&*format!("w-{}", keys[0])));
    }

    async fn every_action_is_in_the_timeline_with_its_author(database: Database) {
        database.migrated().await;
        let ledger = database.options().max_attempts(1).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        vendor.script(&key, [Act::Fail("no connection"), Act::Fail("no connection")]);
        let _ = ledger.wrap(vendor.clone()).provision(basic(&key)).await;
        let [parked] = &ledger.parked_operations().await.unwrap()[..] else { panic!("one operation") };
        assert_eq!((&parked.addon, &*parked.key), (&addon(), &*key));
        assert_eq!(parked.operation.last_error.as_deref(), Some("no connection"));

        let ada = ledger.operator("ada").with_reason("the cluster is back");
        assert!(ada.retry(parked.operation.id).await.unwrap());
        let worker = RunningWorker::start(&ledger, &vendor);
        until("it is parked again", || async { ledger.stats().await.unwrap().parked_operations == 1 }).await;
        drop(worker);
        assert!(ledger.operator("bob").abandon(parked.operation.id).await.unwrap());
        assert!(!ledger.operator("bob").abandon(parked.operation.id).await.unwrap(), "it is no longer parked");
        let resource = ledger.resource(&key).await.unwrap().expect("a resource");
        let expected = [
            action(ActionKind::Retry, "ada", Some("the cluster is back")),
            action(ActionKind::Abandon, "bob", None),
        ];
        assert_eq!(actions(&resource), expected);
        assert_eq!(resource.actions[0].operation, Some(parked.operation.id));

        // names and reasons are encrypted, and rows of the table cannot be exchanged
        let rows = database.pool().await.fetch_all("SELECT details FROM maitre_actions").await.expect("rows");
        let details: Vec<Vec<u8>> = rows.iter().map(|row| sqlx::Row::get(row, 0)).collect();
        assert_eq!(details.len(), 2);
        assert!(details.iter().all(|details| !details.windows(3).any(|window| window == b"ada")));
    }

    async fn an_orphan_is_deprovisioned_by_a_worker(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let key = key();
        ledger.wrap(vendor.clone()).provision(basic(&key)).await.expect("a widget");
        let ada = ledger.operator("ada").with_reason("unknown at Heroku since yesterday");
        assert!(!ada.deprovision(&addon(), "no-such-key").await.unwrap());
        assert!(ada.deprovision(&addon(), &key).await.unwrap());
        assert!(!ada.deprovision(&addon(), &key).await.unwrap(), "it was requested before");
        assert!(vendor.widget(&key).await.is_some(), "no worker runs");
        let _worker = RunningWorker::start(&ledger, &vendor);
        until("the widget is gone", || async { vendor.widget(&key).await.is_none() }).await;
        until("it is recorded", || async { ledger.stats().await.unwrap().open_operations == 0 }).await;
        let resource = ledger.resource(&key).await.unwrap().expect("a tombstone");
        assert_eq!(resource.state, State::Deprovisioned);
        assert_eq!(resource.timeline[1].state, OperationState::Completed);
        assert_eq!(actions(&resource), [action(ActionKind::Deprovision, "ada", Some("unknown at Heroku since yesterday"))]);

        assert!(ledger.operator("bob").with_reason("GDPR request 7").erase(&addon(), &key).await.unwrap());
        let erased = ledger.resource(&key).await.unwrap().expect("a tombstone");
        assert!(erased.timeline.is_empty());
        assert_eq!(actions(&erased), [action(ActionKind::Erase, "bob", Some("GDPR request 7"))]);
    }

    async fn an_action_on_a_job_is_in_the_timeline_of_its_resource(database: Database) {
        let ledger = database.ledger().await;
        let key = key();
        ledger.wrap(Vendor::new(database.pool().await).await).provision(basic(&key)).await.expect("a widget");
        let store = ledger.store();
        let job = Job::new("grant", "g1", b"code".to_vec()).with_resource(ResourceId::from(&*key));
        assert!(store.enqueue(&addon(), job).await.unwrap());
        assert!(store.enqueue(&addon(), Job::new("event", "e1", b"event".to_vec())).await.unwrap());
        let [job] = &ledger.resource(&key).await.unwrap().expect("a resource").jobs[..] else { panic!("one job") };
        assert_eq!((&*job.kind, job.state, job.attempt), ("grant", OperationState::Open, 0));
        let ada = ledger.operator("ada");
        assert!(ada.retry_job(job.id).await.unwrap());
        assert!(ada.retry_job(job.id + 1).await.unwrap(), "a job without a resource");
        assert!(!ada.abandon_job(job.id).await.unwrap(), "it is not parked");
        let resource = ledger.resource(&key).await.unwrap().expect("a resource");
        assert_eq!(actions(&resource), [action(ActionKind::Retry, "ada", None)]);
        assert_eq!((resource.actions[0].job, resource.actions[0].operation), (Some(job.id), None));
    }

    async fn health_needs_the_database_and_its_tables(database: Database) {
        let ledger = database.ledger().await;
        assert!(ledger.check_health().await.is_ok());
        let pool = database.pool().await;
        pool.execute("INSERT INTO maitre_migrations SELECT version + 1000, applied_at FROM maitre_migrations")
            .await
            .expect("a row");
        assert!(ledger.check_health().await.is_ok(), "running processes continue with newer tables");
        pool.execute("DELETE FROM maitre_migrations").await.expect("no rows");
        assert!(ledger.check_health().await.unwrap_err().is_schema_too_old());
        ledger.close().await;
        assert!(ledger.is_shutting_down());
        assert!(ledger.check_health().await.is_err(), "the database is closed");
    }
}
