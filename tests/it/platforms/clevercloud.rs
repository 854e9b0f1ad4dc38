use maitre::platforms::clevercloud::{Client, Platform, Reconcile};
use maitre::{Addon, CleverCloud, Ledger, ResourceId};
use maitre_testkit::apis::{ApiServer, CleverCloudApi};
use maitre_testkit::platform::Fault;

use super::{App, config, http};
use crate::ledger::support::{Database, until};

const PASSWORD: &str = "s3cr3t-example";

struct Market {
    api: CleverCloudApi,
    app: App<CleverCloud>,
    platform: Platform,
    client: maitre_testkit::CleverCloud,
    _server: ApiServer,
}

impl Market {
    async fn new(database: &Database) -> Self {
        let api = CleverCloudApi::new("quince", PASSWORD);
        let server = api.serve().await.expect("a port");
        let client = Client::new("quince", PASSWORD, http(server.url()));
        let mut platform = None;
        let addon = |ledger: &Ledger, vendor| {
            let made = platform.insert(Platform::new(client, ledger.store())).clone();
            let clevercloud = CleverCloud::new("quince", PASSWORD, "plum-salt").expect("credentials");
            Addon::new(clevercloud, ledger.wrap(vendor).with_platform(made))
        };
        let app = App::start(database, addon, maitre::clevercloud).await;
        let client = maitre_testkit::CleverCloud::new(&app.root(), "quince", PASSWORD, "plum-salt");
        Self { api, app, platform: platform.expect("a platform"), client, _server: server }
    }

    /// Sells a resource. Clever Cloud's API knows it once the provision is answered.
    async fn sell(&self) -> ResourceId {
        let addon_id = self.client.new_addon_id();
        let reply = self.client.provision("basic").set("addon_id", addon_id.as_str()).await.expect(200).json();
        self.api.add_addon(&addon_id, reply["id"].as_str().unwrap(), "basic");
        ResourceId::from(addon_id)
    }
}

on_both_databases! {
    async fn changed_config_vars_replace_only_those_of_the_same_name(database: Database) {
        let market = Market::new(&database).await;
        let resource = market.sell().await;
        let first = [("QUINCE_URL", "q://1"), ("QUINCE_KEY", "k1")].into_iter().collect();
        market.platform.set_config(&resource, &first).await.unwrap();
        market.api.inject_fault(Fault::status(502).after_work().on("PUT", "/vendor/apps/*"));
        for _ in 0..2 {
            market.platform.set_config(&resource, &[("QUINCE_KEY", "k2")].into_iter().collect()).await.unwrap();
        }
        let current = market.api.config(resource.as_str());
        assert_eq!((&current["QUINCE_URL"], &current["QUINCE_KEY"]), (&"q://1".into(), &"k2".into()));
        assert_eq!(market.api.count("PUT"), 3, "one of them is a repetition");
        let again = market.client.provision("basic").set("addon_id", resource.as_str()).await;
        assert_eq!(again.expect(200).json()["config"]["QUINCE_KEY"], "k2");
        assert!(market.api.problems().is_empty(), "{:?}", market.api.problems());
    }

    async fn a_resource_that_is_not_listed_yet_has_no_config_vars_to_change(database: Database) {
        let market = Market::new(&database).await;
        let error = market.platform.set_config(&"addon_unknown".into(), &config("w://1")).await.unwrap_err();
        assert_eq!(error.to_string(), "GET /vendor/apps/addon_unknown: 404: no such add-on");
    }

    async fn a_consumption_is_billed_once_and_a_lost_answer_waits_for_an_operator(database: Database) {
        let market = Market::new(&database).await;
        let resource = market.sell().await;
        for expected in [true, false] {
            assert_eq!(market.platform.report_consumption(&resource, "2026-10", 1_250).await.unwrap(), expected);
        }
        market.app.wait_until_idle().await;
        assert_eq!(market.api.costs(resource.as_str()), [12.5]);

        // the call is refused without effect, and repeated later
        market.api.inject_fault(Fault::status(429).times(4).on("POST", "/vendor/apps/*/consumptions"));
        market.platform.report_consumption(&resource, "2026-11", 99).await.unwrap();
        until("the refused report is billed", || async { market.api.costs(resource.as_str()).len() == 2 }).await;
        assert_eq!(market.api.costs(resource.as_str())[1], 0.99);

        market.api.inject_fault(Fault::drop_connection().after_work().on("POST", "/vendor/apps/*/consumptions"));
        market.platform.report_consumption(&resource, "2026-12", 700).await.unwrap();
        until("the job is parked", || async { market.app.ledger.parked_jobs().await.unwrap().len() == 1 }).await;
        let parked = market.app.ledger.parked_jobs().await.unwrap().remove(0);
        market.app.ledger.operator("ada").retry_job(parked.id).await.unwrap();
        until("the job is parked again", || async { market.app.ledger.parked_jobs().await.unwrap().len() == 1 }).await;
        assert_eq!(market.api.costs(resource.as_str()).len(), 3, "billed once, although its answer was lost");
        assert!(market.api.problems().is_empty(), "{:?}", market.api.problems());
    }

    async fn differences_of_a_list_with_offsets_are_found(database: Database) {
        let market = Market::new(&database).await;
        let mut sold = Vec::new();
        for _ in 0..5 {
            sold.push(market.sell().await);
        }
        assert!(market.platform.compare().await.unwrap().is_empty());
        market.api.remove_addon(sold[0].as_str());
        market.api.add_addon("addon_lost", "q-9", "basic");
        let found = market.platform.compare().await.unwrap();
        assert_eq!(found.missing_at_marketplace.len(), 1);
        assert_eq!(found.missing_at_marketplace[0].key, sold[0].as_str());
        assert_eq!(found.missing_in_ledger[0].key, "addon_lost");
        assert_eq!(found.missing_in_ledger[0].provider_id.as_deref(), Some("q-9"));
        market.platform.deprovision_missing(&found, &market.app.addon, true).await;
        assert_eq!(market.app.vendor.widgets().await.len(), 4);
    }
}
