//! A marketplace with a file is the same one after a restart.

use std::time::Duration;

use maitre_sandbox::Sandbox;
use maitre_testkit::platform::State;
use serde_json::{Value, json};

use crate::support::{Act, CLIENT_SECRET, Folder, Shop, World, manifest};

async fn open(folder: &Folder, shop: Shop) -> World {
    World::around(shop, &manifest(), |setup| setup.state_file(folder.file("sandbox.db"))).await
}

/// Ends a process of the marketplace, and gives the add-on back.
fn close(world: World) -> Shop {
    let World { shop, sandbox, serving, http: _ } = world;
    drop((serving, sandbox));
    shop
}

#[tokio::test]
async fn installs_tokens_and_the_journal_are_there_after_a_restart() {
    let folder = Folder::new();
    let world = open(&folder, Shop::start().await).await;
    let install = world.sandbox.provision("basic").await;
    let grant = install.grant();
    let form = [("grant_type", "authorization_code"), ("code", grant.code()), ("client_secret", CLIENT_SECRET)];
    let token: Value =
        world.http.post(world.url("/oauth/token")).form(&form).send().await.unwrap().json().await.unwrap();
    let addon = world.customer("GET", "/addons", Value::Null).await.1[0].clone();
    let before = world.journal().await.len();

    let world = open(&folder, close(world)).await;
    let mut again = world.customer("GET", "/addons", Value::Null).await.1[0].clone();
    again["web_url"] = addon["web_url"].clone(); // the port is another one
    assert_eq!(again, addon);
    assert!(world.journal().await.len() >= before);
    let call = world
        .http
        .get(world.url(&format!("/addons/{}", install.uuid())))
        .bearer_auth(token["access_token"].as_str().unwrap());
    let call = call.header("accept", "application/vnd.heroku+json; version=3");
    assert_eq!(call.send().await.unwrap().status(), 200, "the add-on's token is still good");
    assert_eq!(world.shop.seen().len(), 1, "and nothing is asked again");
}

#[tokio::test]
async fn what_was_not_answered_is_asked_after_the_restart() {
    let folder = Folder::new();
    let world = open(&folder, Shop::start().await).await;
    world.shop.tell("POST", std::iter::repeat_n(Act::Answer(503, json!({})), 1));
    let install = world.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning);
    let world = open(&folder, close(world)).await;
    let again = world.only_install().await;
    assert_eq!(again.uuid(), install.uuid());
    world.becomes(&again, State::Provisioned).await;
}

#[tokio::test]
async fn the_twelve_hours_go_on_over_a_restart() {
    let folder = Folder::new();
    let world = open(&folder, Shop::start().await).await;
    world.shop.tell("POST", [Act::Answer(202, json!({ "id": "slow" }))]);
    world.sandbox.provision("basic").await;
    let world = open(&folder, close(world)).await;
    let install = world.only_install().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.shop.seen().len(), 1, "what was accepted is not asked for again");
    world.click("/sandbox/clock", &[("minutes", "720")]).await;
    world.becomes(&install, State::Deprovisioned).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let world = open(&folder, Shop::start().await).await;
    let file = folder.file("sandbox.db");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    drop(world);
}

#[tokio::test]
async fn a_file_that_is_none_of_ours_is_named() {
    let folder = Folder::new();
    let file = folder.file("notes.txt");
    std::fs::write(&file, "these are my notes, and no database at all, whatever you think of them\n".repeat(20))
        .unwrap();
    let error = Sandbox::builder(&manifest().to_string()).unwrap().state_file(&file).open().unwrap_err();
    assert!(error.to_string().contains("notes.txt"), "{error}");
}
