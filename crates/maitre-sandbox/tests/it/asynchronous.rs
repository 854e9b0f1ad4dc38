//! Asynchronous provisioning.

use maitre_testkit::platform::State;
use serde_json::json;

use crate::support::{Harness, Reply, kind, until};

#[tokio::test]
async fn the_journal_shows_every_step_of_an_asynchronous_provision() {
    let harness = Harness::new().await;
    harness.addon.reply_with("POST", [Reply::Accept]);
    let body = json!({ "plan": { "name": "lantern:basic" } });
    let (status, addon) = harness.customer("POST", "/apps/shop/addons", body).await;
    assert_eq!((status, &addon["state"]), (201, &json!("provisioning")));
    assert_eq!(addon["provision_message"], "Soon.");
    let install = harness.only_install().await;
    harness.wait_for(&install, State::Provisioned).await;
    until("the note is recorded", async || harness.journal().await.last().unwrap()["direction"] == "Internal").await;

    let journal = harness.journal().await;
    let steps: Vec<_> = journal.iter().map(kind).collect();
    assert_eq!(
        steps,
        [
            "FromCustomer Customer",
            "ToAddon Provision",
            "FromAddon Token",
            "FromAddon Config",
            "FromAddon MarkProvisioned",
            "Internal Note",
        ]
    );
    let statuses: Vec<_> = journal.iter().map(|entry| entry["response"]["status"].clone()).collect();
    assert_eq!(json!(statuses), json!([201, 202, 200, 200, 200, null]));
    assert_eq!(journal[5]["title"], format!("{} is provisioned", install.name()));
    for entry in &journal[1..] {
        assert_eq!((&entry["resource"], &entry["findings"]), (&json!(install.uuid()), &json!([])), "{entry}");
    }
    let (_, vars) = harness.customer("GET", "/apps/shop/config-vars", json!(null)).await;
    assert_eq!(vars, json!({ "LANTERN_URL": "https://lantern.example/later" }));
}

#[tokio::test]
async fn an_unfinished_provision_is_deprovisioned_after_twelve_hours() {
    let harness = Harness::new().await;
    harness.addon.reply_with("POST", [Reply::With(202, json!({ "id": "slow" }))]);
    let install = harness.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning);
    harness.click("/sandbox/clock", &[("minutes", "719")]).await;
    assert_eq!(install.state(), State::Provisioning, "one minute is left");
    harness.click("/sandbox/clock", &[("minutes", "1")]).await;
    harness.wait_for(&install, State::Deprovisioned).await;
    until("the note is recorded", async || {
        harness
            .journal_of("Note")
            .await
            .iter()
            .any(|note| note["title"] == format!("{} is deprovisioned", install.name()))
    })
    .await;
    assert!(harness.failed_checks().await.contains(&"heroku.async.completes".to_owned()));
    assert_eq!(harness.customer("GET", "/addons", json!(null)).await, (200, json!([])));
}

#[tokio::test]
async fn a_grant_expires_after_five_minutes() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    harness.click("/sandbox/clock", &[("minutes", "5")]).await;
    let code = install.grant().code().to_owned();
    let form =
        [("grant_type", "authorization_code"), ("code", &code), ("client_secret", "development-only-client-secret")];
    let response = harness.http.post(harness.url("/oauth/token")).form(&form).send().await.unwrap();
    assert!(response.status().is_client_error(), "{}", response.status());
}
