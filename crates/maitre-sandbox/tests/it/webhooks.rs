//! Webhook deliveries.

use maitre_testkit::platform::State;
use serde_json::{Value, json};

use crate::support::{CLIENT_SECRET, Harness, until};

/// Computes the HMAC-SHA256 of a body as RFC 2104 defines it, without an HMAC library.
fn hmac(secret: &[u8], body: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};
    let mut key = [0; 64];
    key[..secret.len()].copy_from_slice(secret);
    let hash =
        |pad: u8, text: &[u8]| Sha256::new().chain_update(key.map(|byte| byte ^ pad)).chain_update(text).finalize();
    hash(0x5c, &hash(0x36, body)).to_vec()
}

#[tokio::test]
async fn an_event_is_delivered_with_a_signature_and_retried() {
    let harness = Harness::new().await;
    let install = harness.sandbox.provision("basic").await;
    let grant = install.grant();
    let form = [("grant_type", "authorization_code"), ("code", grant.code()), ("client_secret", CLIENT_SECRET)];
    let token: Value =
        harness.http.post(harness.url("/oauth/token")).form(&form).send().await.unwrap().json().await.unwrap();
    let hook = json!({
        "include": ["api:addon"], "level": "sync", "url": format!("{}/hooks", harness.addon.url), "secret": "sesame",
    });
    let subscribe = harness.http.post(harness.url(&format!("/addons/{}/webhooks", install.uuid()))).json(&hook);
    let subscribe = subscribe.bearer_auth(token["access_token"].as_str().unwrap());
    let subscribed = subscribe.header("accept", "application/vnd.heroku+json; version=3").send().await.unwrap();
    assert_eq!(subscribed.status(), 201);

    harness.click(&format!("/sandbox/installs/{}/plan", install.uuid()), &[("plan", "bright")]).await;
    until("the event is delivered", async || harness.addon.calls().iter().any(|seen| seen.path == "/hooks")).await;
    let posted = harness.addon.calls().into_iter().find(|seen| seen.path == "/hooks").unwrap();
    let event = posted.json();
    assert_eq!((&event["action"], &event["resource"]), (&json!("update"), &json!("addon")));
    assert_eq!(event["data"]["plan"]["name"], "lantern:bright");
    assert_eq!(event["webhook_metadata"]["event"]["include"], "api:addon");
    let signature = base64::Engine::decode(
        &base64::prelude::BASE64_STANDARD,
        posted.headers["heroku-webhook-hmac-sha256"].as_bytes(),
    );
    assert_eq!(signature.unwrap(), hmac(b"sesame", &posted.body));

    // the add-on answered 404, so the delivery is retried, and both attempts are recorded
    until("the delivery is recorded", async || !harness.journal_of("Webhook").await.is_empty()).await;
    assert_eq!(harness.journal_of("Webhook").await[0]["response"]["status"], 404);
    harness.click("/sandbox/clock", &[("minutes", "1")]).await;
    until("the delivery is retried", async || harness.journal_of("Webhook").await.len() > 1).await;
    assert_eq!(install.state(), State::Provisioned);
}
