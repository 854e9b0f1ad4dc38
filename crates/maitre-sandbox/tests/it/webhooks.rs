//! What an add-on subscribed to is delivered, signed.

use maitre_testkit::platform::State;
use serde_json::{Value, json};

use crate::support::{CLIENT_SECRET, World, until};

/// The HMAC-SHA256 of a body as RFC 2104 writes it down, by nobody's library.
fn hmac(secret: &[u8], body: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};
    let mut key = [0; 64];
    key[..secret.len()].copy_from_slice(secret);
    let hash =
        |pad: u8, text: &[u8]| Sha256::new().chain_update(key.map(|byte| byte ^ pad)).chain_update(text).finalize();
    hash(0x5c, &hash(0x36, body)).to_vec()
}

#[tokio::test]
async fn what_happens_is_posted_with_a_signature() {
    let world = World::new().await;
    let install = world.sandbox.provision("basic").await;
    let grant = install.grant();
    let form = [("grant_type", "authorization_code"), ("code", grant.code()), ("client_secret", CLIENT_SECRET)];
    let token: Value =
        world.http.post(world.url("/oauth/token")).form(&form).send().await.unwrap().json().await.unwrap();
    let hook = json!({
        "include": ["api:addon"], "level": "sync", "url": format!("{}/hooks", world.shop.url), "secret": "sesame",
    });
    let subscribe = world.http.post(world.url(&format!("/addons/{}/webhooks", install.uuid()))).json(&hook);
    let subscribe = subscribe.bearer_auth(token["access_token"].as_str().unwrap());
    let subscribed = subscribe.header("accept", "application/vnd.heroku+json; version=3").send().await.unwrap();
    assert_eq!(subscribed.status(), 201);

    world.click(&format!("/sandbox/installs/{}/plan", install.uuid()), &[("plan", "bright")]).await;
    until("it is delivered", async || world.shop.seen().iter().any(|seen| seen.path == "/hooks")).await;
    let posted = world.shop.seen().into_iter().find(|seen| seen.path == "/hooks").unwrap();
    let event = posted.json();
    assert_eq!((&event["action"], &event["resource"]), (&json!("update"), &json!("addon")));
    assert_eq!(event["data"]["plan"]["name"], "lantern:bright");
    assert_eq!(event["webhook_metadata"]["event"]["include"], "api:addon");
    let signature = base64::Engine::decode(
        &base64::prelude::BASE64_STANDARD,
        posted.headers["heroku-webhook-hmac-sha256"].as_bytes(),
    );
    assert_eq!(signature.unwrap(), hmac(b"sesame", &posted.body));

    // the add-on said 404, so that it comes again, and both stand in the journal
    until("it is written down", async || !world.journal_of("Webhook").await.is_empty()).await;
    assert_eq!(world.journal_of("Webhook").await[0]["response"]["status"], 404);
    world.click("/sandbox/clock", &[("minutes", "1")]).await;
    until("it comes again", async || world.journal_of("Webhook").await.len() > 1).await;
    assert_eq!(install.state(), State::Provisioned);
}
