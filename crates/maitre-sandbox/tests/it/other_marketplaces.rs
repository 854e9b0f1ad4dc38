//! APIs of other marketplaces than Heroku for add-ons, and what a state file keeps.

use maitre_sandbox::{Fault, Marketplace};
use maitre_testkit::platform::State;
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Folder, Harness, PASSWORD, Reply, SALT, SLUG, TestAddon, manifest, until};

fn settings() -> Value {
    json!({ "app_slug": SLUG, "password": PASSWORD, "salt": SALT, "client_secret": "the add-on's own" })
}

async fn exchange(harness: &Harness, code: &str) -> Response {
    let body = json!({ "grant_type": "authorization_code", "code": code, "client_secret": "the add-on's own" });
    harness.http.post(harness.url("/add-ons/oauth/token")).json(&body).send().await.unwrap()
}

#[tokio::test]
async fn digitaloceans_grants_tokens_and_config_vars_are_answered_and_recorded() {
    let harness = Harness::on(Marketplace::DigitalOcean, &settings(), TestAddon::start().await, |setup| setup).await;
    let install = harness.sandbox.provision("basic").await;
    let code = harness.addon.calls_of("POST")[0].json()["oauth_grant"]["code"].as_str().unwrap().to_owned();
    let token: Value = exchange(&harness, &code).await.json().await.unwrap();
    assert_eq!(exchange(&harness, &code).await.status(), 401, "a code is exchanged once");

    let patch = async || {
        let url = harness.url(&format!("/add-ons/resources/{}/config", install.uuid()));
        let call = harness.http.patch(url).bearer_auth(token["access_token"].as_str().unwrap());
        call.json(&json!({ "config": { "KEY": "k-1" } })).send().await.unwrap().status()
    };
    let config_fault = [("call", "config"), ("fault", "status-503"), ("times", "1")];
    harness.click("/sandbox/faults", &config_fault).await;
    assert_eq!(patch().await, 503);
    assert_eq!(patch().await, 200);
    assert_eq!(install.config()["LANTERN_KEY"], "k-1", "with the prefix of the app");
    assert!(install.config().contains_key("LANTERN_URL"), "{:?}", install.config());
    let recorded = harness.journal_of("Config").await;
    assert_eq!(recorded.len(), 2);
    assert!(recorded.iter().all(|entry| entry["direction"] == "FromAddon" && entry["resource"] == install.uuid()));

    harness.click("/sandbox/clock", &[("minutes", "480")]).await;
    assert_eq!(patch().await, 401, "a token is valid for eight hours");
    let (status, _) = harness.customer("GET", "/apps", json!(null)).await;
    assert_eq!(status, 404, "only Heroku has an API for customers");
}

#[tokio::test]
async fn an_add_on_that_digitalocean_would_reject_has_findings() {
    let harness = Harness::on(Marketplace::DigitalOcean, &settings(), TestAddon::start().await, |setup| setup).await;
    harness.addon.reply_with("POST", [Reply::With(202, json!({ "id": "1" }))]);
    harness.sandbox.provision("basic").await;
    harness.addon.misbehave();
    harness.sandbox.inject_fault(Fault::Duplicate);
    harness.sandbox.provision("basic").await;
    harness.sandbox.inject_fault(Fault::WrongPassword);
    harness.sandbox.provision("basic").await;
    let expected = [
        "digitalocean.provision.succeeds", // DigitalOcean has no 202
        "digitalocean.idempotency.same-id",
        "digitalocean.auth.wrong-password-provision",
    ];
    assert_eq!(harness.failed_checks().await, expected);
    let page = harness.page("/sandbox/checks/digitalocean.idempotency.same-id").await;
    assert!(page.contains("maitre check --marketplace digitalocean --plan basic,bright"), "{page}");
}

#[tokio::test]
async fn digitalocean_notifies_of_a_new_name_and_of_a_failed_deprovision() {
    let harness = Harness::on(Marketplace::DigitalOcean, &settings(), TestAddon::start().await, |setup| setup).await;
    let install = harness.sandbox.provision("basic").await;
    let rename = format!("/sandbox/installs/{}/actions/rename", install.uuid());
    assert_eq!(harness.submit(&rename, &[("value", "Très cher")]).await.status(), 422);
    harness.click(&rename, &[("value", "harbor-light")]).await;
    let notifications = || {
        let calls = harness.addon.calls_of("POST").into_iter();
        let calls = calls.filter(|call| call.path == "/heroku/notifications").map(|call| call.json());
        calls.collect::<Vec<_>>()
    };
    until("the add-on is notified", async || notifications().len() == 1).await;
    assert_eq!(notifications()[0]["type"], "resources.updated");
    assert_eq!(notifications()[0]["payload"]["resource"]["name"], "harbor-light");
    assert_eq!(install.name(), "harbor-light");

    harness.addon.reply_with("DELETE", [Reply::With(422, json!({ "message": "The lantern is hot." }))]);
    harness.click(&format!("/sandbox/installs/{}/remove", install.uuid()), &[]).await;
    until("the add-on is notified", async || notifications().len() == 2).await;
    assert_eq!(notifications()[1]["type"], "resources.deprovisioning.failed");
    assert_eq!(notifications()[1]["payload"]["resources_uuids"], json!([install.uuid()]));
    harness.wait_for(&install, State::Deprovisioned).await; // it is repeated
    assert_eq!(notifications().len(), 2);
}

#[tokio::test]
async fn clever_cloud_replaces_the_config_vars_that_the_manifest_names() {
    let harness = Harness::on(Marketplace::CleverCloud, &manifest(), TestAddon::start().await, |setup| setup).await;
    let install = harness.sandbox.provision("basic").await;
    let url = harness.url(&format!("/vendor/apps/addon_{}", install.uuid()));
    let details = harness.http.get(&url).basic_auth(SLUG, Some(PASSWORD)).send().await.unwrap();
    let details: Value = details.json().await.unwrap();
    assert_eq!(details["config"]["LANTERN_URL"], install.config()["LANTERN_URL"]);
    let body = json!({ "config": { "LANTERN_URL": "https://new.example", "OTHER": "ignored" } });
    let put = harness.http.put(&url).basic_auth(SLUG, Some(PASSWORD)).json(&body).send().await.unwrap();
    assert_eq!(put.status(), 200);
    assert_eq!(install.config(), [("LANTERN_URL".to_owned(), "https://new.example".to_owned())].into());
    harness.click(&format!("/sandbox/installs/{}/remove", install.uuid()), &[]).await;
    until("the API forgets the add-on", async || {
        harness.http.get(&url).basic_auth(SLUG, Some(PASSWORD)).send().await.unwrap().status() == 404
    })
    .await;
}

#[tokio::test]
async fn a_suspension_survives_a_restart_with_a_state_file() {
    let folder = Folder::new();
    let file = folder.file("sandbox.db");
    let harness =
        Harness::on(Marketplace::DigitalOcean, &settings(), TestAddon::start().await, |setup| setup.state_file(&file))
            .await;
    let install = harness.sandbox.provision("basic").await;
    let is_suspended = async |harness: &Harness| harness.page("/").await.contains(">suspended</span>");
    harness.click(&format!("/sandbox/installs/{}/actions/suspend", install.uuid()), &[]).await;
    until("the resource is suspended", async || is_suspended(&harness).await).await;
    let Harness { addon, sandbox, serving, .. } = harness;
    drop((serving, sandbox));
    let harness = Harness::on(Marketplace::DigitalOcean, &settings(), addon, |setup| setup.state_file(&file)).await;
    assert!(is_suspended(&harness).await);
    harness.click(&format!("/sandbox/installs/{}/actions/reinstate", install.uuid()), &[]).await;
    until("the resource is reinstated", async || !is_suspended(&harness).await).await;
}
