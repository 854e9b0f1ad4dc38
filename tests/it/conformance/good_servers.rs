//! No false alarms: our router with and without a ledger, and an add-on in Python.

use axum::Router;
use maitre::{Addon, Heroku};
use maitre_conformance::{Level, Report, Suite, SuiteBuilder};
use maitre_ledger::Ledger;
use serde_json::Value;

use super::python::Python;
use super::{PASSWORD, manifest};
use crate::support::{App, Folder, SALT, SLUG, Server, Vendor, host};

fn suite(url: &str) -> SuiteBuilder {
    Suite::builder(manifest()).url(url).plans(["basic", "premium"])
}

fn failed(report: &Report, level: Level) -> Vec<&'static str> {
    report.failed(level).map(|finding| finding.check.id).collect()
}

/// Returns the provisioned resources that still exist, as their replies to a plan change show.
async fn remaining(vendor: &Vendor, server: &Server) -> Vec<String> {
    let market = maitre_testkit::Heroku::new(&server.url("/heroku"), SLUG, PASSWORD, SALT);
    let mut remaining = Vec::new();
    for provision in vendor.provisions() {
        if market.plan_change(provision.resource.as_str(), "basic").await.status() < 400 {
            remaining.push(provision.resource.to_string());
        }
    }
    remaining
}

#[tokio::test(flavor = "multi_thread")]
async fn our_router_without_a_ledger_passes() {
    let heroku = Heroku::new(SLUG, PASSWORD, SALT).unwrap().with_legacy_token(true);
    let app = App::start(heroku, |addon| addon).await;
    for _ in 0..2 {
        let report = suite(&app.server.url("/heroku/resources")).build().unwrap().run().await.unwrap();
        assert!(report.is_conformant(false), "{report}");
        // without a store, a replay of a token cannot be detected
        assert_eq!(failed(&report, Level::Should), ["heroku.sso-window.one-use"], "{report}");
        assert_eq!(failed(&report, Level::Info), ["heroku.provision.id-is-the-uuid", "heroku.sso-window.one-use"]);
    }
    assert!(app.vendor.provisions().len() > 100);
    assert_eq!(remaining(&app.vendor, &app.server).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn our_router_with_a_ledger_passes() {
    let folder = Folder::new();
    let url = format!("sqlite://{}", folder.0.join("maitre.db").display());
    Ledger::migrate(&url).await.unwrap();
    let ledger = Ledger::open(&url).await.unwrap();
    let vendor = Vendor::default();
    let heroku = Heroku::new(SLUG, PASSWORD, SALT).unwrap().with_legacy_token(true);
    let addon = Addon::new(heroku, ledger.wrap(vendor.clone()));
    let worker = tokio::spawn(ledger.worker([addon.clone()]).run(std::future::pending()));
    let server = Server::start(host(Router::new().nest("/heroku", maitre::heroku(addon)))).await;
    for _ in 0..2 {
        let report = suite(&server.url("/heroku/resources")).build().unwrap().run().await.unwrap();
        assert!(report.is_conformant(true), "{report}");
        assert_eq!(failed(&report, Level::Info), ["heroku.provision.id-is-the-uuid"], "{report}");
    }
    assert_eq!(remaining(&vendor, &server).await, Vec::<String>::new());
    worker.abort();
    server.stop().await;
    ledger.close().await;
}

/// Starts the add-on in Python, and writes its manifest.
fn python(folder: &Folder) -> Python {
    let manifest_file = folder.0.join("addon-manifest.json");
    let mut manifest: Value = serde_json::from_str(&manifest()).unwrap();
    for urls in ["test", "production"] {
        let url = manifest["api"][urls]["sso_url"].as_str().unwrap().replace("/resources/sso", "/sso");
        manifest["api"][urls]["sso_url"] = url.into();
    }
    manifest["api"]["config_vars"] = serde_json::json!(["LANTERN_URL", "LANTERN_TOKEN"]);
    std::fs::write(&manifest_file, manifest.to_string()).unwrap();
    Python::start("lantern.py", &[manifest_file.as_os_str()])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addon_in_python_passes() {
    let folder = Folder::new();
    let python = python(&folder);
    let suite = Suite::builder_from_file(folder.0.join("addon-manifest.json"));
    let report = suite.url(&python.origin).plans(["basic", "premium"]).build().unwrap().run().await.unwrap();
    assert!(report.is_conformant(true), "{report}");
    assert_eq!(failed(&report, Level::Info), ["heroku.sso-session.nav-data"], "{report}");
    let (alive, made) = python.resources().await;
    assert!(alive == 0 && made > 100);
}
