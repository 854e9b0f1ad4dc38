//! Reloads in the example, as a process.

use std::fs::File;

use maitre_testkit::{Heroku, Opperator, QuickNode, vercel};
use serde_json::json;
use time::OffsetDateTime;

use super::{manifest, write};
use crate::ledger::support::{KEY, OTHER_KEY, key, until};
use crate::saas::Saas;
use crate::support::Folder;

fn quicknode_credentials(password: &str) -> String {
    json!({ "username": "tally", "password": password, "jwt_secret": "jwt-secret" }).to_string()
}

#[tokio::test]
async fn the_example_reloads_its_secrets_and_prints_none() {
    let folder = Folder::new();
    let at = |name: &str| folder.0.join(name);
    write(&at("addon-manifest.json"), &manifest("tally", "older-password", "older-salt"));
    write(&at("opperator"), "older-secret\n");
    write(&at("quicknode.json"), &quicknode_credentials("older-password"));
    write(&at("vercel"), "older-client-secret\n");
    write(&at("key"), KEY);
    let mut command = Saas::command(&folder.0);
    command
        .env("ADDON_MANIFEST", at("addon-manifest.json"))
        .env("OPPERATOR_SECRET_FILE", at("opperator"))
        .env("QUICKNODE_MANIFEST", at("quicknode.json"))
        .env("VERCEL_INTEGRATION_ID", "oac_tally")
        .env("VERCEL_CLIENT_SECRET_FILE", at("vercel"))
        .env("MAITRE_KEY_FILE", at("key"));
    let mut saas = Saas::spawn(command.stderr(File::create(at("log")).unwrap()));

    let heroku = |password: &str, salt: &str| Heroku::new(&format!("{}/heroku", saas.origin), "tally", password, salt);
    let (old, new) = (heroku("older-password", "older-salt"), heroku("newer-password", "newer-salt"));
    let uuid = key();
    old.provision("basic").uuid(&uuid).send().await.expect(200);
    let opperator = |secret: &str| Opperator::new(&format!("{}/opperator", saas.origin), secret);
    opperator("older-secret").provision(json!({})).send().await.expect(201);

    write(&at("addon-manifest.json"), &manifest("tally", "newer-password", "newer-salt"));
    write(&at("opperator"), "newer-secret\n");
    write(&at("quicknode.json"), &quicknode_credentials("newer-password"));
    write(&at("vercel"), "newer-client-secret\n");
    write(&at("key"), OTHER_KEY);
    saas.signal("-HUP");
    until("the new password is accepted", async || new.provision("basic").send().await.status() == 200).await;
    until("the new secret is accepted", async || {
        opperator("newer-secret").provision(json!({})).send().await.status() == 201
    })
    .await;
    let quicknode = |password: &str| {
        let quicknode = QuickNode::new(&format!("{}/quicknode", saas.origin), "tally", password, "jwt-secret");
        async move {
            quicknode.provision(&quicknode.new_account(), &quicknode.new_endpoint(), "basic").send().await.status()
        }
    };
    until("QuickNode's new password is accepted", async || quicknode("newer-password").await == 200).await;
    let webhook = |secret: &str| {
        let platform = vercel::Platform::new("oac_tally", secret);
        let event = json!({ "id": "evt_1", "type": "deployment.created", "createdAt": 1, "payload": {} });
        let call = vercel::Vercel::new(&format!("{}/vercel", saas.origin), &platform).webhook("/webhooks", &event);
        async move { call.send().await.status() }
    };
    until("Vercel's new secret is accepted", async || webhook("newer-client-secret").await == 200).await;
    assert_eq!((quicknode("older-password").await, webhook("older-client-secret").await), (200, 200));
    assert_eq!((quicknode("other-password").await, webhook("other-client-secret").await), (401, 403));
    // the old ones are accepted for an hour, and records of the old key are readable
    for heroku in [&old, &new] {
        heroku.provision("basic").uuid(&uuid).send().await.expect(200);
    }
    let now = OffsetDateTime::now_utc();
    for (heroku, time) in [(&old, now), (&new, now - time::Duration::SECOND)] {
        heroku.single_sign_on(&uuid).at(time).send().await.expect(302); // a user signs on once per second
    }
    opperator("older-secret").provision(json!({})).send().await.expect(201);

    write(&at("addon-manifest.json"), "{ \"id\": \"tally\", \"api\": { \"password\": \"newest-password");
    let log = || std::fs::read_to_string(at("log")).unwrap();
    until("the file is refused", async || log().contains("the secrets in use stay")).await;
    new.provision("basic").uuid(&uuid).send().await.expect(200);

    assert!(saas.terminate().success());
    let log = log();
    assert!(log.contains("ERROR") && log.contains("addon-manifest.json") && log.contains("is not JSON"), "{log}");
    for secret in ["er-password", "est-password", "er-salt", "er-secret", KEY, OTHER_KEY] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
