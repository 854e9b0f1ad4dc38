//! Tombstones: what the ledger keeps of a deprovisioned resource, and for how long.

use std::time::Duration;

use maitre_core::{Backend, FailureKind};
use maitre_ledger::State;
use sqlx::Executor;

use super::support::{
    Act, Answer, Database, RunningWorker, Vendor, addon, basic, deprovision, key, plan_change, until,
};

on_both_databases! {
    async fn no_secret_of_a_deprovisioned_resource_is_kept(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        listener.provision(basic(&key)).await.expect("a widget");
        vendor.script(&key, [Act::Fail("no connection")]);
        let _ = listener.plan_change(plan_change(&key, "premium")).await;
        listener.plan_change(plan_change(&key, "premium")).await.expect("a plan change");
        listener.deprovision(deprovision(&key)).await.expect("a deprovision");

        let secrets = "SELECT request_hash FROM maitre_resources WHERE key = $1 AND (request_hash IS NOT NULL OR reply IS NOT NULL)
             UNION ALL SELECT request FROM maitre_operations WHERE kind <> 'deprovision'
                   AND (request IS NOT NULL OR reply IS NOT NULL OR last_error IS NOT NULL)";
        let rows = database.pool().await.fetch_all(sqlx::query(secrets).bind(&key)).await.expect("rows");
        assert_eq!(rows.len(), 0);
        let timeline = ledger.resource(&key).await.unwrap().expect("a tombstone").timeline;
        let kinds: Vec<_> = timeline.iter().map(|operation| operation.kind.as_str()).collect();
        assert_eq!(kinds, ["provision", "plan_change", "deprovision"], "the timeline is kept");
    }

    async fn an_erased_key_cannot_be_provisioned_again(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let key = key();
        assert!(!ledger.operator("ada").erase(&addon(), &key).await.unwrap(), "the key is unknown");
        let id =
            listener.provision(basic(&key)).await.expect("a widget").done().expect("a reply").id().as_str().to_owned();
        assert!(!ledger.operator("ada").erase(&addon(), &key).await.unwrap(), "a live resource is not erased");
        assert!(listener.provision(basic(&key)).await.is_ok());
        listener.deprovision(deprovision(&key)).await.expect("a deprovision");

        assert!(ledger.operator("ada").erase(&addon(), &id).await.unwrap(), "by the provider id");
        assert!(ledger.resource(&id).await.unwrap().is_none());
        let bare = ledger.resource(&key).await.unwrap().expect("a tombstone");
        assert_eq!((bare.state, bare.plan, bare.provider_id), (State::Deprovisioned, None, None));
        assert!(bare.timeline.is_empty());
        assert_eq!(Answer::from(listener.provision(basic(&key)).await), Answer::Failed(FailureKind::Gone));
        assert_eq!(Answer::from(listener.deprovision(deprovision(&key)).await), Answer::Failed(FailureKind::Gone));
    }

    async fn tombstones_are_kept_for_the_configured_retention(database: Database) {
        let day = Duration::from_hours(24);
        database.migrated().await;
        let ledger = database.options().retention(30 * day).open().await.unwrap();
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let (gone, alive) = (key(), key());
        for key in [&gone, &alive] {
            listener.provision(basic(key)).await.expect("a widget");
        }
        listener.deprovision(deprovision(&gone)).await.expect("a deprovision");

        let sweep_at = async |days: u32, retention: Option<Duration>| {
            let mut options = database.options().clock_offset(days * day);
            if let Some(retention) = retention {
                options = options.retention(retention);
            }
            let later = options.open().await.unwrap();
            let worker = RunningWorker::start(&later, &vendor);
            // a worker sweeps first, so the sweep is done when this operation is
            vendor.script(&alive, [Act::Fail("no connection")]);
            let _ = later.wrap(vendor.clone()).plan_change(plan_change(&alive, &format!("plan-{days}"))).await;
            until("the worker is done", || async { later.stats().await.unwrap().open_operations == 0 }).await;
            drop(worker);
        };
        sweep_at(29, Some(30 * day)).await;
        assert!(ledger.resource(&gone).await.unwrap().is_some());
        sweep_at(10_000, None).await;
        assert!(
            ledger.resource(&gone).await.unwrap().is_some(),
            "without a retention, tombstones are kept forever"
        );
        sweep_at(31, Some(30 * day)).await;
        assert!(ledger.resource(&gone).await.unwrap().is_none());
        assert!(ledger.resource(&alive).await.unwrap().is_some());
    }
}
