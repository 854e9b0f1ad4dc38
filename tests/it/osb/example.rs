//! The example's service broker, as a separate process with a ledger.

use maitre_testkit::Osb;
use maitre_testkit::osb::InstanceId;
use serde_json::Value;

use crate::saas::Saas;
use crate::support::Folder;

const SERVICE: &str = "6e2b1f3c-4d0a-4c7e-9a51-0c9f2f7b8d11";
const BASIC: &str = "0b7d5c1e-93a4-4e59-8f3d-5a3f1c6e2b01";

fn broker(saas: &Saas) -> (Osb, InstanceId) {
    let osb = Osb::new(&format!("{}/osb", saas.origin), "tally", "development-only-password");
    let instance = osb.new_instance(SERVICE, BASIC);
    (osb, instance)
}

#[tokio::test]
async fn the_example_starts_in_any_folder_and_has_a_catalog() {
    let saas = Saas::start(&Folder::new());
    let (osb, _) = broker(&saas);
    let catalog: Value = osb.catalog().await.expect(200).json();
    assert_eq!(catalog["services"][0]["plans"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_slow_example_needs_asynchronous_requests() {
    let folder = Folder::new();
    let mut command = Saas::command(&folder.0);
    command.env("SET_UP_SECONDS", "1");
    let saas = Saas::start_by(command);
    let (osb, instance) = broker(&saas);
    let reply = osb.provision(&instance).accepts_incomplete(false).await;
    assert_eq!(reply.expect(422).json()["error"], "AsyncRequired");
}
