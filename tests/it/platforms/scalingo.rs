use std::time::Duration;

use maitre::platforms::scalingo::{Client, Error, Platform, Reconcile};
use maitre::{Addon, ResourceId, Scalingo};
use maitre_testkit::apis::{ApiServer, ScalingoApi};
use maitre_testkit::platform::Fault;

use super::{App, config, http};
use crate::ledger::support::{Database, until};

const PASSWORD: &str = "s3cr3t-example";

struct Market {
    api: ScalingoApi,
    app: App<Scalingo>,
    platform: Platform,
    client: maitre_testkit::Scalingo,
    _server: ApiServer,
}

impl Market {
    /// Starts an add-on that answers only when an operation is done.
    async fn new(database: &Database) -> Self {
        Self::start(database, PASSWORD, Duration::from_hours(1)).await
    }

    /// Starts an add-on that answers 202 to everything that waits at a gate.
    async fn accepting(database: &Database, password: &str) -> Self {
        Self::start(database, password, Duration::from_millis(50)).await
    }

    async fn start(database: &Database, password: &str, async_after: Duration) -> Self {
        let api = ScalingoApi::new("lychee", PASSWORD);
        let server = api.serve().await.expect("a port");
        let client = Client::new("lychee", password, http(server.url()));
        let mut platform = None;
        let addon = |ledger: &maitre::Ledger, vendor| {
            let made = Platform::new(client, ledger.store());
            platform = Some(made.clone());
            let scalingo = Scalingo::new("lychee", PASSWORD, "orange-salt").expect("credentials");
            let listener = ledger.wrap(vendor).with_platform(made);
            Addon::new(scalingo, listener).with_async_after(async_after)
        };
        let app = App::start(database, addon, maitre::scalingo).await;
        let client = maitre_testkit::Scalingo::new(&app.root(), "lychee", PASSWORD, "orange-salt");
        Self { api, app, platform: platform.expect("a platform"), client, _server: server }
    }

    /// Sells a resource, and returns its key and its app.
    async fn sell(&self, plan: &str) -> (String, String) {
        let key = self.client.new_uuid();
        let app_id = format!("app-of-{key}");
        self.api.add_app(&app_id, &key, plan);
        self.client.provision(plan).set("uuid", key.as_str()).set("app_id", app_id.as_str()).await.expect(200);
        self.app.wait_until_idle().await;
        (key, app_id)
    }

    /// Sells a resource whose provision is answered 202, and completes it.
    async fn sell_later(&self) -> (String, String) {
        let key = self.client.new_uuid();
        let app_id = format!("app-of-{key}");
        self.api.add_app(&app_id, &key, "basic");
        let gate = self.app.vendor.stop_at(&key);
        let provision = || self.client.provision("basic").set("uuid", key.as_str()).set("app_id", app_id.as_str());
        let accepted = provision().await.expect(202).json();
        assert_eq!(accepted["id"], key.as_str());
        assert!(self.api.config(&app_id).is_empty());
        gate.open();
        (key, app_id)
    }
}

on_both_databases! {
    async fn an_accepted_provision_ends_with_its_config_vars(database: Database) {
        let market = Market::accepting(&database, PASSWORD).await;
        market.api.inject_fault(Fault::status(503).after_work().on("PATCH", "/provider/apps/*"));
        market.api.inject_fault(Fault::drop_connection().on("GET", "/provider/apps/*"));
        let (key, app_id) = market.sell_later().await;
        market.app.wait_until_idle().await;
        let replayed = market.client.provision("basic").set("uuid", key.as_str()).set("app_id", app_id.as_str()).await;
        let replayed = replayed.expect(200).json();
        assert_eq!(market.api.config(&app_id)["WIDGET_URL"], replayed["config"]["WIDGET_URL"].as_str().unwrap());
        assert!(market.api.problems().is_empty(), "{:?}", market.api.problems());
        assert!(market.api.calls().iter().all(|call| call.path.contains(&app_id)), "the app is known without the list");
    }

    async fn a_failed_completion_waits_for_an_operator(database: Database) {
        let market = Market::accepting(&database, "another password").await;
        let (key, app_id) = market.sell_later().await;
        let state = || async { market.app.ledger.parked_operations().await.unwrap().len() };
        until("the operation is parked", || async { state().await == 1 }).await;
        assert!(market.api.config(&app_id).is_empty());
        assert!(market.app.vendor.widget(&key).await.is_some(), "the resource stays");
    }

    async fn config_vars_are_changed_once_and_replayed(database: Database) {
        let market = Market::new(&database).await;
        let (key, app_id) = market.sell("basic").await;
        let resource = ResourceId::from(key.as_str());
        for _ in 0..2 {
            market.platform.set_config(&resource, &config("w://new")).await.unwrap();
        }
        assert_eq!(market.api.config(&app_id)["WIDGET_URL"], "w://new");
        assert_eq!(market.api.count("PATCH"), 1, "every change restarts the app");
        let replayed = market.client.provision("basic").set("uuid", key.as_str()).set("app_id", app_id.as_str()).await;
        assert_eq!(replayed.expect(200).json()["config"]["WIDGET_URL"], "w://new");
    }

    async fn an_app_is_found_by_the_list_and_never_confused(database: Database) {
        let market = Market::new(&database).await;
        let (first, first_app) = market.sell("basic").await;
        // sold without the platform
        let unrecorded = ["ad-1", "ad-2", "ad-3"].map(ResourceId::from);
        for resource in &unrecorded {
            market.api.add_app(&format!("app-{resource}"), resource.as_str(), "basic");
        }
        market.platform.set_config(&unrecorded[2], &config("w://3")).await.unwrap();
        assert_eq!(market.api.config("app-ad-3")["WIDGET_URL"], "w://3");

        // the app has another of the vendor's add-ons now
        market.api.add_app(&first_app, "ad-9", "basic");
        let error = market.platform.set_config(&first.as_str().into(), &config("w://1")).await.unwrap_err();
        assert!(matches!(error, Error::Ambiguous(_)), "{error}");
        assert!(market.api.config(&first_app).is_empty());
        let error = market.platform.set_config(&"ad-unknown".into(), &config("w://1")).await.unwrap_err();
        assert!(matches!(error, Error::Unidentified(_)), "{error}");
    }

    async fn differences_of_a_list_with_pages_are_found(database: Database) {
        let market = Market::new(&database).await;
        let mut sold = Vec::new();
        for _ in 0..5 {
            sold.push(market.sell("basic").await);
        }
        assert!(market.platform.compare().await.unwrap().is_empty());
        market.api.remove_app(&sold[0].1);
        market.client.plan_change(&sold[1].0, "premium").await.expect(200);
        market.api.add_app("app-lost", "ad-lost", "basic");
        let found = market.platform.compare().await.unwrap();
        assert_eq!(found.missing_at_marketplace.len(), 1);
        assert_eq!(found.missing_at_marketplace[0].key, sold[0].0);
        assert_eq!(found.missing_in_ledger[0].key, "ad-lost");
        assert_eq!(found.plan_mismatch[0].marketplace_plan.as_deref(), Some("basic"));
        assert!(market.platform.reconcile().await.unwrap().persisting.is_none());

        market.platform.deprovision_missing(&found, &market.app.addon, true).await;
        assert_eq!(market.app.vendor.widget(&sold[0].0).await, None);
        assert_eq!(market.app.vendor.widgets().await.len(), 4);
        assert!(market.api.problems().is_empty(), "{:?}", market.api.problems());
    }
}
