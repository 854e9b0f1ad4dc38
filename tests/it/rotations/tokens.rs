//! Rotations of the secrets of marketplaces whose sign-ons are tokens: QuickNode and Vercel.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use maitre::catalog::{Catalog, Plan, Service};
use maitre::{Addon, QuickNode, SecretFiles, SignedOn, Vercel};
use maitre_testkit::{self as testkit, vercel};
use serde_json::json;

use super::load::Load;
use super::{no_change_there, start, write};
use crate::ledger::support::Database;
use crate::support::{Counts, Folder, Vendor, host};

fn credentials(slug: &str, password: &str, jwt_secret: &str) -> String {
    json!({ "username": slug, "password": password, "jwt_secret": jwt_secret }).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jwt_secret_is_rotated_without_a_refused_sign_on() {
    let (counts, folder, slug) = (Counts::installed(), Folder::new(), "rotating-jwt");
    let path = folder.0.join("quicknode.json");
    write(&path, &credentials(slug, "password", "old secret"));
    let quicknode = QuickNode::new(slug, "password", "old secret").unwrap();
    let vendor = Vendor::default();
    vendor.on_single_sign_on(|_| async { Ok(SignedOn::redirect("/dashboard")) });
    let addon = Addon::new(quicknode, vendor);
    let files = SecretFiles::new().with_file(&path, addon.clone());
    let (origin, _stop) = start(host(Router::new().nest("/quicknode", maitre::quicknode(addon))), files).await;
    let url = format!("{origin}/quicknode");
    let [old, new] = ["old secret", "new secret"].map(|secret| testkit::QuickNode::new(&url, slug, "password", secret));
    let account = old.new_account();
    let send = move |switched: bool| {
        let sign_on = if switched { &new } else { &old }.single_sign_on(&account);
        async move { sign_on.send().await.status() }
    };
    let old_uses = || counts.old_uses(&format!("quicknode/{slug} salt"));
    let reload = || write(&path, &credentials(slug, "password", "new secret"));
    Load { name: "JWT secret", send }.rotate(old_uses, reload, no_change_there).await;
}

on_both_databases! {
    async fn a_client_secret_of_vercel_is_rotated_without_a_refused_sign_on_or_webhook(database: Database) {
        let (counts, folder) = (Counts::installed(), Folder::new());
        let integration = format!("oac_{}", uuid::Uuid::new_v4().simple());
        let path = folder.0.join("secret");
        write(&path, "old secret\n");
        let platform = vercel::Platform::new(&integration, "old secret");
        let api = platform.serve().await.unwrap();
        let service = Service::new("s-1", "lantern", "Lanterns").with_plan(Plan::new("p-1", "basic", "Three lanterns"));
        let settings = Vercel::new(&integration, "old secret", Catalog::new([service]).unwrap()).unwrap();
        let settings = settings.with_issuer(api.url()).and_then(|it| it.with_api(api.url())).unwrap();
        let ledger = database.ledger().await;
        let addon = Addon::new(settings, ledger.wrap(Vendor::default()));
        let files = SecretFiles::new().with_file(&path, addon.clone());
        let (origin, _stop) = start(host(Router::new().nest("/vercel", maitre::vercel(addon))), files).await;
        let client = vercel::Vercel::new(&format!("{origin}/vercel"), &platform);
        let installation = platform.new_installation();
        client.install(&installation).await.expect(204);
        let resource = client.provision(&installation, "lantern", "basic").await.expect(200).json();
        let resource = resource["id"].as_str().unwrap().to_owned();

        let count = Arc::new(AtomicUsize::new(0));
        let send = move |_: bool| {
            let number = count.fetch_add(1, Ordering::SeqCst);
            let event = json!({ "id": format!("evt_{number}"), "type": "marketplace.invoice.paid", "createdAt": 1,
                                "payload": { "configuration": { "id": installation.id() } } });
            let call = if number.is_multiple_of(2) {
                client.webhook("/webhooks", &event)
            } else {
                client.single_sign_on("/sso", &installation, &[("resource_id", &resource)])
            };
            async move { call.send().await.status() }
        };
        let old_uses = || counts.old_uses(&format!("vercel/{integration} client"));
        let switch = async || platform.reset_client_secret("new secret");
        Load { name: "client secret of Vercel", send }.rotate(old_uses, || write(&path, "new secret\n"), switch).await;
    }
}
