//! An add-on that answers 202, and what becomes of it.

use maitre_testkit::platform::State;
use serde_json::json;

use crate::support::{Act, World, kind, until};

#[tokio::test]
async fn a_slow_add_on_is_seen_at_every_step() {
    let world = World::new().await;
    world.shop.tell("POST", [Act::Later]);
    let order = json!({ "plan": { "name": "lantern:basic" } });
    let (status, addon) = world.customer("POST", "/apps/shop/addons", order).await;
    assert_eq!((status, &addon["state"]), (201, &json!("provisioning")));
    assert_eq!(addon["provision_message"], "Soon.");
    let install = world.only_install().await;
    world.becomes(&install, State::Provisioned).await;
    until("it is told", async || world.journal().await.last().unwrap()["direction"] == "Internal").await;

    let journal = world.journal().await;
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
    let (_, vars) = world.customer("GET", "/apps/shop/config-vars", json!(null)).await;
    assert_eq!(vars, json!({ "LANTERN_URL": "https://lantern.example/later" }));
}

#[tokio::test]
async fn what_is_never_finished_is_removed_after_twelve_hours() {
    let world = World::new().await;
    world.shop.tell("POST", [Act::Answer(202, json!({ "id": "slow" }))]);
    let install = world.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning);
    world.click("/sandbox/clock", &[("minutes", "719")]).await;
    assert_eq!(install.state(), State::Provisioning, "a minute is left");
    world.click("/sandbox/clock", &[("minutes", "1")]).await;
    world.becomes(&install, State::Deprovisioned).await;
    until("it is told", async || {
        world
            .journal_of("Note")
            .await
            .iter()
            .any(|note| note["title"] == format!("{} is deprovisioned", install.name()))
    })
    .await;
    assert!(world.blamed().await.contains(&"heroku.async.completes".to_owned()));
    assert_eq!(world.customer("GET", "/addons", json!(null)).await, (200, json!([])));
}

#[tokio::test]
async fn a_grant_is_good_for_five_minutes() {
    let world = World::new().await;
    let install = world.sandbox.provision("basic").await;
    world.click("/sandbox/clock", &[("minutes", "5")]).await;
    let code = install.grant().code().to_owned();
    let form =
        [("grant_type", "authorization_code"), ("code", &code), ("client_secret", "development-only-client-secret")];
    let answer = world.http.post(world.url("/oauth/token")).form(&form).send().await.unwrap();
    assert!(answer.status().is_client_error(), "{}", answer.status());
}
