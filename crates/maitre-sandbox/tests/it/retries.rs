//! Retries: Heroku delivers lifecycle calls at least once.

use maitre_testkit::platform::State;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Harness, Reply, TestAddon, manifest, until};

#[tokio::test]
async fn a_provision_answered_503_is_retried() {
    let harness = Harness::new().await;
    harness.addon.reply_with("POST", [Reply::With(503, json!({})), Reply::With(503, json!({}))]);
    let install = harness.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning);
    harness.wait_for(&install, State::Provisioned).await;
    let calls = harness.addon.calls_of("POST");
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call.json()["uuid"] == install.uuid()), "the uuid stays the same");
    assert_eq!(harness.failed_checks().await, ["heroku.provision.succeeds"; 2]);
}

#[tokio::test]
async fn an_add_on_that_starts_late_receives_the_call() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let harness = Harness::for_addon(TestAddon::start_at(socket), &manifest(), |setup| setup).await;
    let Harness { addon, sandbox, serving: _serving, .. } = harness;
    drop(addon);
    until("the port is free", async || TcpListener::bind(address).await.is_ok()).await;
    let install = sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning);
    let addon = TestAddon::start_at(TcpListener::bind(address).await.unwrap());
    until("the install is provisioned", async || install.state() == State::Provisioned).await;
    assert_eq!(addon.calls_of("POST").len(), 1);
}

#[tokio::test]
async fn a_failed_deprovision_is_retried_for_twelve_hours() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    harness.addon.reply_with("DELETE", std::iter::repeat_n(Reply::With(503, json!({})), 100));
    let (status, addon) =
        harness.customer("DELETE", &format!("/apps/{}/addons/{}", install.app(), install.uuid()), json!({})).await;
    assert_eq!((status, &addon["state"]), (200, &json!("deprovisioning")));
    until("the call is retried", async || harness.addon.calls_of("DELETE").len() > 1).await;
    harness.click("/sandbox/clock", &[("minutes", "720")]).await;
    harness.wait_for(&install, State::Deprovisioned).await;
}

#[tokio::test]
async fn a_plan_change_is_retried_while_the_customer_waits() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    let path = format!("/apps/{}/addons/{}", install.app(), install.name());
    let change = json!({ "plan": { "name": "lantern:bright" } });
    harness.addon.reply_with("PUT", [Reply::With(503, json!({}))]);
    assert_eq!(harness.customer("PATCH", &path, change.clone()).await.0, 200);
    assert_eq!((install.plan().as_str(), harness.addon.calls_of("PUT").len()), ("bright", 2));

    harness.addon.reply_with("PUT", [Reply::With(422, json!({ "message": "Too many lamps." }))]);
    let back = json!({ "plan": { "name": "lantern:basic" } });
    let (status, problem) = harness.customer("PATCH", &path, back).await;
    assert_eq!((status, &problem["message"]), (422, &json!("Too many lamps.")));
    assert_eq!(install.plan(), "bright");
}

#[tokio::test]
async fn a_retry_replaces_an_expired_grant() {
    let harness = Harness::new().await;
    harness.addon.reply_with("POST", [Reply::With(503, json!({}))]);
    let install = harness.sandbox.provision("basic").await;
    let first = install.grant().code().to_owned();
    harness.click("/sandbox/clock", &[("minutes", "60")]).await;
    harness.wait_for(&install, State::Provisioned).await;
    let sent = harness.addon.calls_of("POST").last().unwrap().json();
    assert_ne!(sent["oauth_grant"]["code"], first);
    assert_eq!(sent["oauth_grant"]["code"], install.grant().code());
}
