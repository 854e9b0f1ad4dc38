//! The checks of DigitalOcean, Clever Cloud and Scalingo on our routers, on the example, and on add-ons in Python.

use std::path::Path;

use axum::Router;
use maitre::{Addon, CleverCloud, DigitalOcean, Scalingo};
use maitre_conformance::{Level, Marketplace, Report, Suite};
use maitre_ledger::Ledger;
use serde_json::{Value, json};

use super::python::Python;
use super::{PASSWORD, maitre};
use crate::saas::Saas;
use crate::support::{Folder, SALT, SLUG, Server, Vendor, host};

fn failed(report: &Report) -> Vec<&'static str> {
    report.failed(Level::Must).chain(report.failed(Level::Should)).map(|finding| finding.check.id).collect()
}

/// Returns the credentials in the form of a marketplace.
fn manifest(marketplace: Marketplace) -> Value {
    let vars = json!(["LANTERN_URL"]);
    match marketplace {
        Marketplace::DigitalOcean => json!({ "app_slug": SLUG, "password": PASSWORD, "salt": SALT }),
        Marketplace::Scalingo => {
            json!({ "username": SLUG, "password": PASSWORD, "sso_salt": SALT, "config_vars": vars })
        }
        _ => json!({ "id": SLUG, "api": { "password": PASSWORD, "sso_salt": SALT, "config_vars": vars } }),
    }
}

/// Checks our router for a marketplace, on a ledger.
async fn passes<M: maitre::Marketplace>(checked: Marketplace, marketplace: M, router: fn(Addon<M>) -> Router) {
    let folder = Folder::new();
    let url = format!("sqlite://{}", folder.0.join("maitre.db").display());
    Ledger::migrate(&url).await.unwrap();
    let ledger = Ledger::open(&url).await.unwrap();
    let vendor = Vendor::default();
    let addon = Addon::new(marketplace, ledger.wrap(vendor.clone()));
    let worker = tokio::spawn(ledger.worker([addon.clone()]).run(std::future::pending()));
    let path = format!("/{checked}");
    let server = Server::start(host(Router::new().nest(&path, router(addon)))).await;
    let suite = Suite::builder_for(checked, manifest(checked).to_string()).url(server.url(&path));
    let report = suite.plans(["basic", "premium"]).build().unwrap().run().await.unwrap();
    // the vendor of these tests suspends whatever it is asked to
    let expected: &[&str] = if checked == Marketplace::Scalingo { &["scalingo.suspension.unknown"] } else { &[] };
    assert_eq!((failed(&report).as_slice(), report.left_behind.len()), (expected, 0), "{report}");
    assert!(report.is_conformant(false) && report.summary().passed >= 80, "{report}");
    assert!(vendor.provisions().len() > 50);
    worker.abort();
    server.stop().await;
    ledger.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_router_for_digitalocean_passes() {
    let digitalocean = DigitalOcean::new(SLUG, PASSWORD, SALT).unwrap();
    passes(Marketplace::DigitalOcean, digitalocean, maitre::digitalocean).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_router_for_clever_cloud_passes() {
    let clevercloud = CleverCloud::new(SLUG, PASSWORD, SALT).unwrap();
    passes(Marketplace::CleverCloud, clevercloud, maitre::clevercloud).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_router_for_scalingo_passes() {
    passes(Marketplace::Scalingo, Scalingo::new(SLUG, PASSWORD, SALT).unwrap(), maitre::scalingo).await;
}

/// Runs `maitre check` on the example with its development settings.
#[test]
fn the_example_passes_at_each_marketplace() {
    let folder = Folder::new();
    let saas = Saas::start(&folder);
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/saas");
    for (marketplace, file) in [
        ("digitalocean", "digitalocean-settings.json"),
        ("clevercloud", "clevercloud-manifest.json"),
        ("scalingo", "scalingo-manifest.json"),
    ] {
        let file = files.join(file).display().to_string();
        let url = format!("{}/{marketplace}", saas.origin);
        let arguments = ["check", "--marketplace", marketplace, "--manifest", &file, "--url", &url];
        let output = maitre(arguments.into_iter().chain(["--plan", "basic,premium"])).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{stdout}");
        assert!(!stdout.contains("FAILED") && !stdout.contains("development-only"), "{stdout}");
    }
}

async fn python_passes(marketplace: Marketplace) {
    let folder = Folder::new();
    let mut manifest = manifest(marketplace);
    manifest["config_vars"] = json!(["BUOY_URL"]);
    let file = folder.0.join("manifest.json");
    std::fs::write(&file, manifest.to_string()).unwrap();
    let python = Python::start("buoy.py", &[marketplace.name().as_ref(), file.as_os_str()]);
    let suite = Suite::builder_from_file_for(marketplace, &file).url(&python.origin).plans(["basic", "premium"]);
    let report = suite.build().unwrap().run().await.unwrap();
    assert_eq!(failed(&report), Vec::<&str>::new(), "{report}");
    assert!(report.is_conformant(true), "{report}");
    let (alive, made) = python.resources().await;
    assert!(alive == 0 && made > 50, "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_add_on_for_digitalocean_in_python_passes() {
    python_passes(Marketplace::DigitalOcean).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_add_on_for_scalingo_in_python_passes() {
    python_passes(Marketplace::Scalingo).await;
}
