//! Rotations of the secrets that are shared with Heroku's API.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use maitre::platform::{Client, Platform, WebhookSecret};
use maitre::{SecretFiles, heroku_webhooks};
use maitre_core::OauthGrant;
use maitre_testkit as testkit;

use super::load::Load;
use super::{no_change_there, start, write};
use crate::ledger::support::Database;
use crate::support::{Counts, Folder};

on_both_databases! {
    async fn a_webhook_secret_is_rotated_without_a_refused_delivery(database: Database) {
        let (counts, folder) = (Counts::installed(), Folder::new());
        let slug = format!("rotating-webhook-{}", uuid::Uuid::new_v4().simple());
        let path = folder.0.join("secret");
        write(&path, "old secret\n");
        let ledger = database.ledger().await;
        let client = Client::builder("client secret").base_url("http://localhost:1").build().unwrap();
        let platform = Platform::builder(&slug, client, ledger.store()).build();
        let receiver = platform.webhook_receiver([WebhookSecret::new("old secret").unwrap()]);
        let files = SecretFiles::new().with_file(&path, receiver.clone());
        let (origin, _stop) = start(Router::new().nest("/webhooks", heroku_webhooks(receiver)), files).await;

        let (http, url) = (reqwest::Client::new(), format!("{origin}/webhooks"));
        let count = Arc::new(AtomicUsize::new(0));
        let send = move |switched: bool| {
            let body = format!(r#"{{"id":"e{}","action":"update"}}"#, count.fetch_add(1, Ordering::SeqCst));
            let secret = if switched { "new secret" } else { "old secret" };
            let signature = testkit::sign::webhook(secret, body.as_bytes());
            let request = http.post(&url).header("heroku-webhook-hmac-sha256", signature).body(body);
            async move { request.send().await.unwrap().status().as_u16() }
        };
        let old_uses = || counts.old_uses(&format!("heroku/{slug} webhook"));
        Load { name: "webhook secret", send }.rotate(old_uses, || write(&path, "new secret\n"), no_change_there).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_secret_is_rotated_without_a_refused_token() {
    let (counts, folder) = (Counts::installed(), Folder::new());
    let path = folder.0.join("secret");
    write(&path, "old secret\n");
    let heroku = testkit::platform::Platform::new("lantern", "password", "old secret");
    let api = heroku.serve().await.unwrap();
    let client = Client::builder("old secret").base_url(api.url()).no_proxy().timeout(Duration::from_secs(30));
    let client = client.build().unwrap();
    let (_origin, _stop) = start(Router::new(), SecretFiles::new().with_file(&path, client.clone())).await;

    let grant = heroku.install("basic").grant();
    let token = Arc::new(client.exchange(&OauthGrant::new(grant.code(), grant.expires_at())).await.unwrap());
    let send = move |_: bool| {
        let (client, token) = (client.clone(), token.clone());
        async move { client.refresh(&token).await.map_or(401, |_| 200) }
    };
    let old_uses = || counts.old_uses("heroku client");
    let switch = async || heroku.reset_client_secret("new secret");
    Load { name: "client secret", send }.rotate(old_uses, || write(&path, "new secret\n"), switch).await;
}
