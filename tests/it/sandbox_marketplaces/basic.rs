//! Marketplaces with Basic credentials and a config in the response: DigitalOcean, Clever Cloud, Scalingo.

use maitre_sandbox::{Fault, Marketplace, Recording, RecordingFormat, Sandbox, SandboxBuilder};
use maitre_testkit::platform::State;
use serde_json::json;

use super::Market;
use crate::ledger::support::until;

const DIGITALOCEAN: &str = include_str!("../../../examples/saas/digitalocean-settings.json");
const CLEVERCLOUD: &str = include_str!("../../../examples/saas/clevercloud-manifest.json");
const SCALINGO: &str = include_str!("../../../examples/saas/scalingo-manifest.json");

fn builder(marketplace: Marketplace, manifest: &str) -> SandboxBuilder {
    Sandbox::builder_for(marketplace, manifest).unwrap()
}

/// Provisions, changes the plan, signs on and deprovisions.
async fn sells(market: &Market, title: &str) {
    let install = market.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioned);
    assert_eq!(market.counters(&install).await, 200);
    let page = market.page().await;
    assert!(
        page.contains(&format!("selling <strong>Tally</strong> on {title}")) || page.contains(&format!("on {title}"))
    );
    for heroku in ["Heroku", "HEROKU_HOST", "name=\"region\""] {
        assert!(!page.contains(heroku), "{heroku} in {page}");
    }

    market.click(&install, "plan", &[("plan", "premium")]).await;
    until("the plan is changed", async || install.plan() == "premium").await;
    assert_eq!(market.try_sign_on(&install).await, "302 → 200");
    market.sandbox.inject_fault(Fault::StaleToken);
    let stale = market.try_sign_on(&install).await;
    assert!(stale.ends_with("as it must be for an expired token"), "{stale}");

    market.sandbox.inject_fault(Fault::Duplicate);
    let other = market.sandbox.provision("basic").await;
    market.sandbox.inject_fault(Fault::WrongPassword);
    market.click(&other, "remove", &[]).await;
    market.is_removed(&other).await;

    let recording = Recording::parse(&market.sandbox.export(RecordingFormat::Json, false)).unwrap();
    market.click(&install, "remove", &[]).await;
    market.is_removed(&install).await;
    assert_eq!(market.counters(&install).await, 401);
    assert_eq!(market.findings().await, [json!(null); 0]);

    let replayed = market.sandbox.replay(&recording).await;
    let sign_on = replayed.iter().find(|call| call.title.starts_with("Single sign-on")).unwrap();
    assert!(sign_on.status.is_some_and(|status| status >= 400), "of a deprovisioned resource: {sign_on:?}");
    assert!(replayed.iter().all(|call| call.status != Some(401) || call.recorded_status == Some(401)), "{replayed:?}");
}

async fn suspends(market: &Market) {
    let install = market.sandbox.provision("basic").await;
    assert_eq!(market.submit(&install, "actions/reinstate", &[]).await, 422, "it is not suspended");
    market.click(&install, "actions/suspend", &[]).await;
    until("the page shows it", async || market.page().await.contains(">suspended</span>")).await;
    assert_eq!(market.counters(&install).await, 403);
    market.click(&install, "actions/reinstate", &[]).await;
    until("the page shows it", async || !market.page().await.contains(">suspended</span>")).await;
    assert_eq!(market.counters(&install).await, 200);
}

#[tokio::test]
async fn digitalocean_sells_suspends_and_exchanges_grants() {
    let api = |url: &str| vec![("DIGITALOCEAN_API", url.to_owned())];
    let market = Market::start(builder(Marketplace::DigitalOcean, DIGITALOCEAN), api).await;
    sells(&market, "DigitalOcean").await;
    suspends(&market).await;
    market.sees("Token", "Token", 200).await;
    let install = market.sandbox.provision("basic").await;
    market.click(&install, "actions/rename", &[("value", "orchard")]).await;
    market.sees("Action", "Rename", 204).await;
    assert!(market.page().await.contains("orchard"));
}

#[tokio::test]
async fn clever_cloud_sells() {
    let api = |url: &str| vec![("CLEVERCLOUD_API", url.to_owned())];
    let market = Market::start(builder(Marketplace::CleverCloud, CLEVERCLOUD), api).await;
    sells(&market, "Clever Cloud").await;
    let install = market.sandbox.provision("basic").await;
    assert_eq!(market.submit(&install, "actions/suspend", &[]).await, 422, "Clever Cloud does not suspend");
    let page = market.page().await;
    assert!(!page.contains("Suspend") && !page.contains("Rename"), "{page}");
}

#[tokio::test]
async fn scalingo_sells_and_suspends() {
    let market = Market::start(builder(Marketplace::Scalingo, SCALINGO), |_| Vec::new()).await;
    sells(&market, "Scalingo").await;
    suspends(&market).await;
}

#[tokio::test]
async fn a_provision_that_scalingo_was_answered_202_is_completed_by_its_config_vars() {
    let slow = |url: &str| vec![("SCALINGO_API", url.to_owned()), ("SET_UP_SECONDS", "3".to_owned())];
    let market = Market::start(builder(Marketplace::Scalingo, SCALINGO), slow).await;
    let install = market.sandbox.provision("basic").await;
    assert_eq!((install.state(), install.provision_status()), (State::Provisioning, Some(202)));
    until("the config vars arrive", async || install.state() == State::Provisioned).await;
    assert_eq!(market.counters(&install).await, 200);
    market.sees("Config", "Config", 200).await;
}
