//! The checks of Vercel on our router, and on the example.

use std::net::TcpListener;
use std::time::Duration;

use axum::Router;
use maitre::catalog::{Catalog, Plan, Price, Service};
use maitre::platforms::vercel::{Client, Platform, connect};
use maitre::{Addon, Capability, Rotated, Vercel, VercelOutput};
use maitre_conformance::{Level, Report, Suite};
use maitre_ledger::Ledger;

use super::maitre;
use crate::saas::Saas;
use crate::support::{Folder, Server, Vendor, host};

const CLIENT_SECRET: &str = "a-client-secret-of-enough-length";

fn failed(report: &Report) -> Vec<&'static str> {
    report.failed(Level::Must).chain(report.failed(Level::Should)).map(|finding| finding.check.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn our_router_for_vercel_passes() {
    let folder = Folder::new();
    let url = format!("sqlite://{}", folder.0.join("maitre.db").display());
    Ledger::migrate(&url).await.unwrap();
    let ledger = Ledger::open(&url).await.unwrap();
    let vendor = Vendor::default();
    vendor.declare(Capability::Rotate);
    vendor.on_rotate(async |request| {
        Ok(Rotated::new().with_config("LANTERN_URL", format!("https://{}@lantern.example", request.context.fence)))
    });
    let basic = Plan::new("p-1", "basic", "Three lanterns");
    let premium = Plan::new("p-2", "premium", "Many lanterns").with_price(Price::monthly(2900, "USD"));
    let service = Service::new("s-1", "lantern", "Lanterns as a service").with_plan(basic).with_plan(premium);
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let platform = format!("http://{}", socket.local_addr().unwrap());
    let vercel = Vercel::new("oac_lantern", CLIENT_SECRET, Catalog::new([service]).unwrap()).unwrap();
    let vercel = vercel.with_issuer(&platform).unwrap().with_api(&platform).unwrap();
    // a new key is looked up immediately
    let vercel = vercel.with_key_cache(Duration::from_mins(10), Duration::from_secs(1));
    let http = connect().url(&platform).no_proxy().build().unwrap();
    let api = Platform::builder(Client::new("oac_lantern", CLIENT_SECRET, http).unwrap(), ledger.store()).build();
    let credits = api.clone();
    let vercel = vercel
        .with_transfers(ledger.store())
        .with_console(async |command| Ok(VercelOutput::new().with_paragraph([command.input])))
        .with_purchases(move |purchase| {
            let credits = credits.clone();
            async move { credits.credit(&purchase.account, &purchase.invoice).await }
        });
    let addon = Addon::new(vercel, ledger.wrap(vendor.clone()).with_platform(api));
    let worker = tokio::spawn(ledger.worker([addon.clone()]).run(std::future::pending()));
    let server = Server::start(host(Router::new().nest("/vercel", maitre::vercel(addon)))).await;
    let suite = Suite::vercel("oac_lantern", "lantern").platform(socket, CLIENT_SECRET).url(server.url("/vercel"));
    let report = suite.slow(true).build().unwrap().run().await.unwrap();
    assert_eq!((failed(&report).len(), report.left_behind.len()), (0, 0), "{report}");
    assert!(report.is_conformant(true) && report.summary().skipped <= 5, "{report}");
    assert!(vendor.provisions().len() > 200);
    worker.abort();
    server.stop().await;
    ledger.close().await;
}

/// Runs `maitre check` on the example with its development settings.
#[test]
fn the_example_passes_at_vercel() {
    let folder = Folder::new();
    // the checker listens there later
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let platform = format!("http://{address}");
    let mut command = Saas::command(&folder.0);
    command
        .env("VERCEL_INTEGRATION_ID", "oac_tally")
        .env("VERCEL_ISSUER", &platform)
        .env("VERCEL_JWKS_URL", format!("{platform}/.well-known/jwks"))
        .env("VERCEL_API", &platform);
    let saas = Saas::start_by(command);
    let url = format!("{}/vercel", saas.origin);
    let arguments = ["check", "--marketplace", "vercel", "--url", &url, "--platform", &address];
    let mut check =
        maitre(arguments.into_iter().chain(["--integration", "oac_tally", "--product", "tally", "--strict"]));
    let output = check.env("MAITRE_CLIENT_SECRET", "development-only-client-secret").output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!stdout.contains("FAILED") && !stdout.contains("development-only"), "{stdout}");
}
