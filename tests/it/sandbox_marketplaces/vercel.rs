//! Vercel: installations of teams, secrets, and webhooks.

use maitre_sandbox::{Fault, Recording, RecordingFormat, Sandbox};
use maitre_testkit::platform::State;

use super::Market;
use crate::ledger::support::until;

async fn start() -> Market {
    Market::start(Sandbox::vercel_builder("oac_tally", "tally"), |url| {
        vec![
            ("VERCEL_INTEGRATION_ID", "oac_tally".to_owned()),
            ("VERCEL_ISSUER", url.to_owned()),
            ("VERCEL_JWKS_URL", format!("{url}/.well-known/jwks")),
            ("VERCEL_API", url.to_owned()),
        ]
    })
    .await
}

#[tokio::test]
async fn a_resource_is_sold_rotated_connected_billed_and_deprovisioned() {
    let market = start().await;
    let install = market.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioned);
    market.sees("Action", "Install for", 204).await;
    assert_eq!(market.counters(&install).await, 200);
    let first = install.config()["TALLY_TOKEN"].clone();
    market.click(&install, "actions/rotate", &[]).await;
    until("the secrets are rotated", async || install.config()["TALLY_TOKEN"] != first).await;
    assert_eq!(market.counters(&install).await, 200);

    market.click(&install, "plan", &[("plan", "premium")]).await;
    until("the plan is changed", async || install.plan() == "premium").await;
    market.click(&install, "actions/connect", &[]).await;
    until("the project is connected", async || market.page().await.contains("Disconnect project")).await;
    assert_eq!(market.submit(&install, "actions/connect", &[]).await, 422, "it is connected");
    market.click(&install, "actions/invoice-not-paid", &[]).await;
    market.sees("Action", "Invoice not paid", 200).await;
    market.click(&install, "actions/invoice-paid", &[]).await;
    market.sees("Action", "Invoice paid", 200).await;

    assert_eq!(market.try_sign_on(&install).await, "303 → 200");
    market.sandbox.inject_fault(Fault::StaleToken);
    let stale = market.try_sign_on(&install).await;
    assert!(stale.contains("as it must be for an expired token"), "{stale}");

    market.sandbox.inject_fault(Fault::Duplicate);
    market.install(&[("plan", "basic"), ("app", &install.app())]).await;
    let is_sent_twice = async || market.entries().await.iter().filter(|it| it["kind"] == "Provision").count() == 3;
    until("the provision is sent twice", is_sent_twice).await;
    market.sandbox.inject_fault(Fault::WrongPassword);
    let recording = Recording::parse(&market.sandbox.export(RecordingFormat::Json, false)).unwrap();
    market.click(&install, "remove", &[]).await;
    market.is_removed(&install).await;
    assert_eq!(market.counters(&install).await, 401);
    assert_eq!(market.findings().await, [serde_json::Value::Null; 0]);

    let replayed = market.sandbox.replay(&recording).await;
    let is_signed =
        |title: &str| ["Install", "Provision", "Rotate", "Change"].iter().any(|word| title.starts_with(word));
    let signed: Vec<_> = replayed.iter().filter(|call| is_signed(&call.title)).collect();
    assert!(signed.len() >= 5 && signed.iter().all(|call| call.status != Some(403)), "{replayed:?}");
}

#[tokio::test]
async fn an_uninstall_ends_all_resources_of_the_team_and_a_new_installation_follows() {
    let market = start().await;
    let install = market.sandbox.provision("basic").await;
    let path = |install: &maitre_testkit::platform::Install| install.app();
    market.install(&[("plan", "basic"), ("app", &path(&install))]).await;
    let of_team = || market.sandbox.platform().installs().into_iter().filter(|it| it.app() == install.app());
    let are_all = async |state| of_team().count() > 1 && of_team().all(|it| it.state() == state);
    until("both are provisioned", async || are_all(State::Provisioned).await).await;
    market.click(&install, "actions/uninstall", &[]).await;
    until("both are deprovisioned", async || are_all(State::Deprovisioned).await).await;
    assert_eq!(market.counters(&install).await, 401);

    market.install(&[("plan", "basic"), ("app", &path(&install))]).await;
    until("a third is provisioned", async || of_team().any(|it| it.state() == State::Provisioned)).await;
    let installations: std::collections::BTreeSet<_> = market
        .entries()
        .await
        .iter()
        .filter(|entry| entry["title"].as_str().unwrap().starts_with("Install for"))
        .map(|entry| entry["request"]["url"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(installations.len(), 2, "{installations:?}");
    assert_eq!(market.findings().await, [serde_json::Value::Null; 0]);
}
