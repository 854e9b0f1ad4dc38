//! Updates of parameters: in the queue of their resource, joined while they are open, merged into its record.

use std::time::Duration;

use maitre_core::FailureKind::{Gone, Unavailable, Unknown};
use maitre_core::{Backend, Fetch, Provision, ResourceStatus};
use maitre_ledger::{DurableListener, Ledger, OperationState, State};
use tokio::task::JoinHandle;

use super::support::{Act, Answer, Database, Vendor, addon, basic, deprovision, key, plan_change, soon, until, update};

#[derive(Clone)]
struct Fixture {
    ledger: Ledger,
    listener: DurableListener<Vendor>,
    vendor: Vendor,
}

impl Fixture {
    async fn new(database: &Database) -> Self {
        database.migrated().await;
        let options = database.options().max_attempts(1).backoff(Duration::ZERO, Duration::ZERO);
        let ledger = options.open().await.expect("a ledger");
        let vendor = Vendor::new(database.pool().await).await;
        Self { listener: ledger.wrap(vendor.clone()), ledger, vendor }
    }

    async fn resource(&self) -> String {
        let key = key();
        self.listener.provision(basic(&key)).await.expect("a widget");
        key
    }

    fn spawn_update(&self, key: &str, size: &str) -> JoinHandle<Answer> {
        let (listener, request) = (self.listener.clone(), update(key, size));
        tokio::spawn(async move { Answer::from(listener.update(request).await) })
    }

    async fn open(&self, key: &str) -> usize {
        let resource = self.ledger.resource(key).await.expect("the records").expect("a resource");
        resource.timeline.iter().filter(|operation| operation.state == OperationState::Open).count()
    }
}

/// Returns a provision by a marketplace that reads its values back.
fn read_back(key: &str) -> Provision {
    let mut request = basic(key);
    request.context.polled = true;
    (request.name, request.region) = (Some("my-widget".into()), Some("eu".into()));
    request.parameters.insert("size", "small");
    request.parameters.insert("color", "red");
    request.details.insert("space", "s-1");
    request
}

on_both_databases! {
    async fn every_update_calls_the_listener(database: Database) {
        let fixture = Fixture::new(&database).await;
        let key = fixture.resource().await;
        for size in ["large", "large", "small"] {
            assert!(Answer::from(fixture.listener.update(update(&key, size)).await).is_done());
            assert_eq!(fixture.vendor.size(&key).await.as_deref(), Some(size));
        }
        assert_eq!(fixture.vendor.calls(&key).await.len(), 4);
        let Answer::Done(replay) = fixture.listener.provision(basic(&key)).await.into() else { panic!("no replay") };
        assert!(replay.contains(r#"("SIZE", "small")"#), "{replay}");
        let resource = fixture.ledger.resource(&key).await.unwrap().expect("a resource");
        assert_eq!((resource.state, resource.plan.as_deref()), (State::Provisioned, Some("basic")));
    }

    async fn an_update_is_decided_by_the_state_of_its_resource(database: Database) {
        let fixture = Fixture::new(&database).await;
        let unknown = key();
        assert_eq!(Answer::from(fixture.listener.update(update(&unknown, "large")).await), Answer::Failed(Unknown));
        assert_eq!(fixture.vendor.calls(&unknown).await.len(), 1, "the listener is asked");
        assert_eq!(fixture.ledger.resource(&unknown).await.unwrap(), None);
        for (act, kind) in [(Act::Refuse("No such plan."), Unknown), (Act::Fail("disk full"), Unavailable)] {
            let key = key();
            fixture.vendor.script(&key, [act]);
            assert!(!Answer::from(fixture.listener.provision(basic(&key)).await).is_done());
            assert_eq!(Answer::from(fixture.listener.update(update(&key, "large")).await), Answer::Failed(kind));
        }
        let removed = fixture.resource().await;
        fixture.listener.deprovision(deprovision(&removed)).await.expect("a deprovision");
        assert_eq!(Answer::from(fixture.listener.update(update(&removed, "large")).await), Answer::Failed(Gone));

        let provisioning = key();
        let gate = fixture.vendor.stop_at(&provisioning);
        let (listener, request) = (fixture.listener.clone(), basic(&provisioning));
        let running = tokio::spawn(async move { listener.provision(request).await.is_ok() });
        gate.entered().await;
        let waiting = fixture.spawn_update(&provisioning, "large");
        until("the update waits", || async { fixture.open(&provisioning).await == 2 }).await;
        gate.open();
        assert!(soon("the provision", running).await.unwrap());
        assert!(soon("the update", waiting).await.unwrap().is_done());
    }

    async fn the_same_update_is_joined_and_another_one_waits(database: Database) {
        let fixture = Fixture::new(&database).await;
        let key = fixture.resource().await;
        let gate = fixture.vendor.stop_at(&key);
        let first = fixture.spawn_update(&key, "large");
        let same = fixture.spawn_update(&key, "large"); // earlier than the other one, which ends last
        gate.entered().await;
        let other = fixture.spawn_update(&key, "small");
        until("the other update waits", || async { fixture.open(&key).await == 2 }).await;
        let (listener, request) = (fixture.listener.clone(), plan_change(&key, "premium"));
        let plan = tokio::spawn(async move { Answer::from(listener.plan_change(request).await) });
        until("the plan change waits", || async { fixture.open(&key).await == 3 }).await;
        // the plan does not change
        assert!(Answer::from(fixture.listener.plan_change(plan_change(&fixture.resource().await, "basic")).await).is_done());
        gate.open();
        let first = soon("the first update", first).await.unwrap();
        assert!(first.is_done());
        assert!(soon("the same update", same).await.unwrap().is_done());
        assert!(soon("the other update", other).await.unwrap().is_done());
        assert!(soon("the plan change", plan).await.unwrap().is_done());
        assert_eq!(fixture.vendor.size(&key).await.as_deref(), Some("small"));
        assert_eq!(fixture.vendor.widget(&key).await.as_deref(), Some("premium"));
    }

    async fn a_plan_change_with_parameters_is_not_skipped(database: Database) {
        let fixture = Fixture::new(&database).await;
        let key = fixture.resource().await;
        let mut request = plan_change(&key, "basic");
        assert!(Answer::from(fixture.listener.plan_change(request.clone()).await).is_done());
        assert_eq!(fixture.vendor.calls(&key).await.len(), 1, "the plan is the current one");
        request.parameters = Some([("size", "large")].into_iter().collect());
        assert!(Answer::from(fixture.listener.plan_change(request).await).is_done());
        assert_eq!(fixture.vendor.calls(&key).await.len(), 2);
    }

    async fn the_record_has_the_current_values(database: Database) {
        let fixture = Fixture::new(&database).await;
        let key = key();
        fixture.listener.provision(read_back(&key)).await.expect("a widget");
        let mut request = update(&key, "large");
        request.context.polled = true;
        request.name = Some("renamed".into());
        fixture.listener.update(request).await.expect("an update");
        let mut request = plan_change(&key, "premium");
        request.context.polled = true;
        request.parameters = Some([("color", "blue")].into_iter().collect());
        fixture.listener.plan_change(request).await.expect("a plan change");
        let details = fixture.listener.fetch(Fetch::new(addon(), key.as_str())).await.expect("a record");
        assert_eq!((details.plan.as_str(), details.status), ("premium", ResourceStatus::Provisioned));
        assert_eq!((details.name.as_deref(), details.region.as_deref()), (Some("renamed"), Some("eu")));
        assert_eq!((details.parameters.text("size"), details.parameters.text("color")), (Some("large"), Some("blue")));
        assert_eq!(details.details.text("space"), Some("s-1"));
        assert_eq!(details.provider_id.map(|id| id.to_string()), Some(format!("w-{key}")));

        let unread = fixture.resource().await;
        let details = fixture.listener.fetch(Fetch::new(addon(), unread.as_str())).await.expect("a record");
        assert!(details.parameters.is_empty(), "values are kept only for marketplaces that read them");
        fixture.listener.deprovision(deprovision(&key)).await.expect("a deprovision");
        let gone = fixture.listener.fetch(Fetch::new(addon(), key.as_str())).await.expect_err("no record");
        assert_eq!(gone.kind(), Gone);
        let unknown = fixture.listener.fetch(Fetch::new(addon(), "i-1")).await.expect_err("no record");
        assert_eq!(unknown.kind(), Unknown);
    }
}
