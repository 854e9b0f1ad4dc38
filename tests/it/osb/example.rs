//! The example's service broker, as a separate process with a ledger.

use maitre_testkit::Osb;
use maitre_testkit::osb::InstanceId;
use serde_json::{Value, json};

use crate::saas::Saas;
use crate::support::Folder;

const SERVICE: &str = "6e2b1f3c-4d0a-4c7e-9a51-0c9f2f7b8d11";
const BASIC: &str = "0b7d5c1e-93a4-4e59-8f3d-5a3f1c6e2b01";
const PREMIUM: &str = "5c8e6d2f-a4b5-4f6a-9e4c-6b402d7f3c02";

fn broker(saas: &Saas) -> (Osb, InstanceId) {
    let osb = Osb::new(&format!("{}/osb", saas.origin), "tally", "development-only-password");
    let instance = osb.new_instance(SERVICE, BASIC);
    (osb, instance)
}

#[tokio::test]
async fn the_example_starts_in_any_folder_and_is_sold_by_a_service_broker() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let (osb, instance) = broker(&saas);
    let catalog: Value = osb.catalog().await.expect(200).json();
    assert_eq!(catalog["services"][0]["plans"].as_array().map(Vec::len), Some(2));

    let dashboard = json!({ "dashboard_url": format!("{}/dashboard", saas.origin) });
    assert_eq!(osb.provision(&instance).await.expect(201).json(), dashboard);
    assert_eq!(osb.provision(&instance).await.expect(200).json(), dashboard, "a replay is distinguished");
    osb.provision(&instance.with_plan(PREMIUM)).await.expect(409);
    let bound = osb.bind(&instance.new_binding()).await.expect(201).json();
    assert_eq!(bound["credentials"]["TALLY_URL"], format!("{}/counters", saas.origin));
    osb.update(&instance, PREMIUM).await.expect(200);
    osb.deprovision(&instance).await.expect(200);
    osb.deprovision(&instance).await.expect(410);
}

#[tokio::test]
async fn a_slow_example_needs_asynchronous_requests() {
    let folder = Folder::new();
    let mut command = Saas::command(&folder.0);
    command.env("SET_UP_SECONDS", "3");
    let saas = Saas::start_by(command);
    let (osb, instance) = broker(&saas);
    let reply = osb.provision(&instance).accepts_incomplete(false).await;
    assert_eq!(reply.expect(422).json()["error"], "AsyncRequired");
    let accepted = osb.provision(&instance).accepts_incomplete(true).await;
    assert!(accepted.expect(202).json()["operation"].is_string());
}
