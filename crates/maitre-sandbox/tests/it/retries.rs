//! Heroku asks at least once: again, until it is answered.

use maitre_testkit::platform::State;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Act, Shop, World, manifest, until};

#[tokio::test]
async fn what_is_answered_503_is_asked_again() {
    let world = World::new().await;
    world.shop.tell("POST", [Act::Answer(503, json!({})), Act::Answer(503, json!({}))]);
    let install = world.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning);
    world.becomes(&install, State::Provisioned).await;
    let asked = world.shop.seen_of("POST");
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|seen| seen.json()["uuid"] == install.uuid()), "always the same order");
    assert_eq!(world.blamed().await, ["heroku.provision.succeeds"; 2]);
}

#[tokio::test]
async fn an_add_on_that_is_not_there_yet_is_asked_when_it_is() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let world = World::around(Shop::start_at(socket), &manifest(), |setup| setup).await;
    let World { shop, sandbox, serving: _serving, .. } = world;
    drop(shop);
    until("it is gone", async || TcpListener::bind(address).await.is_ok()).await;
    let install = sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioning);
    let shop = Shop::start_at(TcpListener::bind(address).await.unwrap());
    until("it is asked", async || install.state() == State::Provisioned).await;
    assert_eq!(shop.seen_of("POST").len(), 1);
}

#[tokio::test]
async fn a_removal_that_fails_is_asked_again_and_given_up_after_twelve_hours() {
    let world = World::new().await;
    let install = world.sandbox.provision("basic").await;
    world.shop.tell("DELETE", std::iter::repeat_n(Act::Answer(503, json!({})), 100));
    let (status, addon) =
        world.customer("DELETE", &format!("/apps/{}/addons/{}", install.app(), install.uuid()), json!({})).await;
    assert_eq!((status, &addon["state"]), (200, &json!("deprovisioning")));
    until("it is asked again", async || world.shop.seen_of("DELETE").len() > 1).await;
    world.click("/sandbox/clock", &[("minutes", "720")]).await;
    world.becomes(&install, State::Deprovisioned).await;
}

#[tokio::test]
async fn a_plan_change_is_tried_while_the_customer_waits() {
    let world = World::new().await;
    let install = world.sandbox.provision("basic").await;
    let path = format!("/apps/{}/addons/{}", install.app(), install.name());
    let change = json!({ "plan": { "name": "lantern:bright" } });
    world.shop.tell("PUT", [Act::Answer(503, json!({}))]);
    assert_eq!(world.customer("PATCH", &path, change.clone()).await.0, 200);
    assert_eq!((install.plan().as_str(), world.shop.seen_of("PUT").len()), ("bright", 2));

    world.shop.tell("PUT", [Act::Answer(422, json!({ "message": "Too many lamps." }))]);
    let back = json!({ "plan": { "name": "lantern:basic" } });
    let (status, problem) = world.customer("PATCH", &path, back).await;
    assert_eq!((status, &problem["message"]), (422, &json!("Too many lamps.")));
    assert_eq!(install.plan(), "bright");
}

#[tokio::test]
async fn a_grant_that_expired_is_replaced_when_it_is_asked_again() {
    let world = World::new().await;
    world.shop.tell("POST", [Act::Answer(503, json!({}))]);
    let install = world.sandbox.provision("basic").await;
    let first = install.grant().code().to_owned();
    world.click("/sandbox/clock", &[("minutes", "60")]).await;
    world.becomes(&install, State::Provisioned).await;
    let sent = world.shop.seen_of("POST").last().unwrap().json();
    assert_ne!(sent["oauth_grant"]["code"], first);
    assert_eq!(sent["oauth_grant"]["code"], install.grant().code());
}
