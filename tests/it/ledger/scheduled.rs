//! Deprovisions at a later time: the resource serves until then, and a worker ends it.

use std::time::Duration;

use maitre_core::{Backend, Deprovision, FailureKind, Provision};
use maitre_ledger::{Ledger, State};

use super::support::{Answer, Database, RunningWorker, Vendor, basic, deprovision, key, plan_change, until};

fn later(key: &str, delay: Duration) -> Deprovision {
    let mut request = deprovision(key);
    request.delay = delay;
    request
}

fn again(key: &str) -> Provision {
    let mut request = basic(key);
    request.context.reuses_key = true;
    request
}

async fn state(ledger: &Ledger, key: &str) -> State {
    ledger.resource(key).await.unwrap().expect("a resource").state
}

on_both_databases! {
    async fn a_resource_serves_until_the_time_of_its_deprovision(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let _worker = RunningWorker::start(&ledger, &vendor);
        let (soon, much_later) = (key(), key());
        for key in [&soon, &much_later] {
            listener.provision(basic(key)).await.expect("a widget");
            for _ in 0..2 {
                let delay = if key == &soon { Duration::from_secs(1) } else { Duration::from_hours(1) };
                assert!(Answer::from(listener.deprovision(later(key, delay)).await).is_done());
            }
            assert_eq!(state(&ledger, key).await, State::Provisioned);
            assert!(Answer::from(listener.plan_change(plan_change(key, "premium")).await).is_done());
        }
        until("the resource is deprovisioned", || async { state(&ledger, &soon).await == State::Deprovisioned }).await;
        assert_eq!(vendor.widget(&soon).await, None);
        assert_eq!(vendor.widget(&much_later).await.as_deref(), Some("premium"));
        let gone = Answer::from(listener.deprovision(later(&soon, Duration::from_hours(1))).await);
        assert_eq!(gone, Answer::Failed(FailureKind::Gone));
        assert!(Answer::from(listener.deprovision(deprovision(&much_later)).await).is_done(), "immediately");
        until("no job is left", || async { ledger.stats().await.unwrap().open_jobs == 0 }).await;
        assert_eq!(ledger.stats().await.unwrap().parked_jobs, 0);
    }

    async fn a_resource_that_is_provisioned_again_is_not_deprovisioned(database: Database) {
        let ledger = database.ledger().await;
        let vendor = Vendor::new(database.pool().await).await;
        let listener = ledger.wrap(vendor.clone());
        let (kept, ended) = (key(), key());
        for key in [&kept, &ended] {
            listener.provision(again(key)).await.expect("a widget");
            assert!(Answer::from(listener.deprovision(later(key, Duration::from_millis(200))).await).is_done());
        }
        assert!(Answer::from(listener.provision(again(&kept)).await).is_done());
        let _worker = RunningWorker::start(&ledger, &vendor);
        until("the other is deprovisioned", || async { state(&ledger, &ended).await == State::Deprovisioned }).await;
        assert_eq!(ledger.stats().await.unwrap().open_jobs, 0);
        assert_eq!(state(&ledger, &kept).await, State::Provisioned);
        assert_eq!(vendor.calls(&kept).await.len(), 1);
    }
}
