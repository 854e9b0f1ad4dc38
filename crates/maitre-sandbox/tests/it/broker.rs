//! Service brokers: asynchronous operations, bindings, and what follows a failure.

use maitre_sandbox::{Fault, Sandbox};
use maitre_testkit::platform::{Install, State};
use serde_json::{Value, json};

use crate::support::{Harness, PASSWORD, SLUG, TestAddon, TestBroker, until};

/// Starts a broker and a platform that sells its plans.
async fn start() -> (TestBroker, Harness) {
    let broker = TestBroker::start().await;
    let setup = Sandbox::osb_builder(SLUG, PASSWORD).url(&broker.url);
    let setup = setup.plans(["basic", "bright", "slow", "unknown"]).unwrap();
    (broker, Harness::serve(TestAddon::start().await, setup).await)
}

/// Presses a button of an install.
async fn act(harness: &Harness, install: &Install, action: &str) {
    harness.click(&format!("/sandbox/installs/{}/actions/{action}", install.uuid()), &[]).await;
}

/// Waits until the app can be bound.
async fn can_bind(harness: &Harness, install: &Install) {
    let button = format!("id=\"bind-{}\"", install.uuid());
    until("the app can be bound", async || harness.page("/").await.contains(&button)).await;
}

async fn config_becomes(install: &Install, expected: Value) {
    until("the config vars are these", async || json!(install.config()) == expected).await;
}

fn accepted() -> (u16, Value) {
    (202, json!({ "operation": "op-1" }))
}

fn state(state: &str) -> (u16, Value) {
    (200, json!({ "state": state, "description": "Ten of ten lanterns." }))
}

#[tokio::test]
async fn an_app_is_bound_to_an_instance_and_unbound() {
    let (broker, harness) = start().await;
    let options = [("plan", "slow"), ("options", "size=3 color=red")];
    harness.click("/sandbox/installs", &options).await;
    let install = harness.only_install().await;
    harness.wait_for(&install, State::Provisioned).await;
    let sent = &broker.bodies("PUT instance")[0];
    assert_eq!((&sent["service_id"], &sent["plan_id"]), (&json!("lantern"), &json!("plan-slow")));
    assert_eq!(sent["parameters"], json!({ "size": 3, "color": "red" }));
    assert_eq!(sent["maintenance_info"], json!({ "version": "1.2.0" }));
    assert_eq!(sent["context"]["instance_name"], install.name().as_str());

    let page = harness.page("/").await;
    assert!(page.contains("Open dashboard") && page.contains("id=\"bind-"), "{page}");
    for absent in ["Try sign-on", "Unbind app", "Fetch instance", "value=\"sign-on\""] {
        assert!(!page.contains(absent), "{absent} in {page}");
    }
    let opened = harness.submit(&format!("/sandbox/installs/{}/open", install.uuid()), &[]).await;
    assert!(opened.text().await.unwrap().contains("href=\"https://lantern.example/i\""));
    assert_eq!(harness.submit(&format!("/sandbox/installs/{}/try", install.uuid()), &[]).await.status(), 404);

    act(&harness, &install, "bind").await;
    config_becomes(&install, json!({ "url": "https://lantern.example", "port": "1" })).await;
    act(&harness, &install, "unbind").await;
    config_becomes(&install, json!({})).await;
    harness.click(&format!("/sandbox/installs/{}/remove", install.uuid()), &[]).await;
    harness.wait_for(&install, State::Deprovisioned).await;
    let calls = ["GET catalog", "PUT instance", "PUT binding", "DELETE binding", "DELETE instance"];
    assert_eq!(broker.calls(), calls);
    assert_eq!(harness.failed_checks().await, [""; 0]);
}

#[tokio::test]
async fn asynchronous_operations_are_polled_until_they_end() {
    let (broker, harness) = start().await;
    broker.reply_with("PUT instance", [accepted()]);
    broker.reply_with("GET operation", [state("in progress"), (500, json!({})), state("succeeded")]);
    let install = harness.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning);
    assert!(harness.page("/").await.contains("Cloud Foundry asks for the state at"));
    harness.wait_for(&install, State::Provisioned).await;
    assert_eq!(broker.calls().iter().filter(|call| *call == "GET operation").count(), 3);

    broker.reply_with("PATCH instance", [accepted()]);
    harness.click(&format!("/sandbox/installs/{}/plan", install.uuid()), &[("plan", "bright")]).await;
    until("the plan is changed", async || install.plan() == "bright").await;
    assert_eq!(broker.bodies("PATCH instance")[0]["plan_id"], "plan-bright", "of the same service");

    broker.reply_with("PUT binding", [accepted()]);
    act(&harness, &install, "bind").await;
    config_becomes(&install, json!({ "url": "https://lantern.example", "port": "1" })).await;
    broker.reply_with("DELETE binding", [accepted()]);
    broker.reply_with("GET binding operation", [(410, json!({}))]);
    act(&harness, &install, "unbind").await;
    config_becomes(&install, json!({})).await;

    broker.reply_with("DELETE instance", [accepted()]);
    broker.reply_with("GET operation", [state("in progress"), (410, json!({}))]);
    harness.click(&format!("/sandbox/installs/{}/remove", install.uuid()), &[]).await;
    harness.wait_for(&install, State::Deprovisioned).await;
    assert_eq!(broker.bodies("DELETE instance").len(), 1);
    assert_eq!(harness.failed_checks().await, [""; 0]);
}

#[tokio::test]
async fn what_a_failed_provision_may_have_left_is_deleted() {
    let (broker, harness) = start().await;
    let attempts = [(500, json!({})), (204, Value::Null), (202, json!({}))];
    broker.reply_with("PUT instance", attempts);
    broker.reply_with("GET operation", [state("failed")]);
    for deletions in 1..=3 {
        let install = harness.sandbox.provision("basic").await;
        harness.wait_for(&install, State::Deprovisioned).await;
        assert_eq!(broker.bodies("DELETE instance").len(), deletions);
        assert_eq!(broker.bodies("PUT instance").len(), deletions, "it is not repeated");
    }
    harness.sandbox.inject_fault(Fault::DropReply);
    let lost = harness.sandbox.provision("basic").await;
    harness.wait_for(&lost, State::Deprovisioned).await;
    assert_eq!(broker.bodies("DELETE instance").len(), 4);

    broker.reply_with("PUT instance", [(400, json!({ "description": "No such plan." }))]);
    let refused = harness.sandbox.provision("unknown").await;
    assert_eq!(refused.state(), State::Deprovisioned);
    assert_eq!(broker.bodies("PUT instance").last().unwrap()["plan_id"], "unknown");
    assert_eq!(broker.bodies("DELETE instance").len(), 4, "a refused provision leaves nothing");
    assert!(harness.failed_checks().await.iter().all(|check| check == "osb.provision.succeeds"));
}

#[tokio::test]
async fn a_failed_bind_is_deleted_and_a_failed_update_changes_nothing() {
    let (broker, harness) = start().await;
    let install = harness.sandbox.provision("basic").await;
    broker.reply_with("PUT binding", [(500, json!({})), accepted()]);
    broker.reply_with("GET binding operation", [state("failed")]);
    broker.reply_with("DELETE binding", [(500, json!({})), (410, json!({}))]);
    act(&harness, &install, "bind").await;
    until("the binding is deleted", async || broker.bodies("DELETE binding").len() == 2).await;
    can_bind(&harness, &install).await;
    act(&harness, &install, "bind").await;
    until("the binding is deleted", async || broker.bodies("DELETE binding").len() == 3).await;
    can_bind(&harness, &install).await;

    broker.reply_with("PATCH instance", [accepted(), (500, json!({}))]);
    broker.reply_with("GET operation", [state("failed")]);
    for changes in 1..=2 {
        harness.click(&format!("/sandbox/installs/{}/plan", install.uuid()), &[("plan", "bright")]).await;
        until("the change was sent", async || broker.bodies("PATCH instance").len() == changes).await;
        can_bind(&harness, &install).await;
    }
    until("the message is shown", async || harness.page("/").await.contains("Ten of ten lanterns.")).await;
    assert_eq!((install.plan().as_str(), install.state()), ("basic", State::Provisioned));
}

#[tokio::test]
async fn an_operation_that_takes_longer_than_the_plan_permits_has_failed() {
    let (broker, harness) = start().await;
    broker.reply_with("PUT instance", [accepted()]);
    broker.reply_with("GET operation", std::iter::repeat_n(state("in progress"), 100));
    let install = harness.sandbox.provision("slow").await;
    until("it is polled", async || broker.calls().contains(&"GET operation".to_owned())).await;
    assert_eq!(broker.bodies("DELETE instance").len(), 0);
    harness.click("/sandbox/clock", &[("minutes", "5")]).await;
    harness.wait_for(&install, State::Deprovisioned).await;
    assert_eq!(broker.bodies("DELETE instance").len(), 1);
}
