//! Open Service Broker: instances, bindings and polling.

use maitre_sandbox::{Fault, Recording, RecordingFormat, Sandbox};
use maitre_testkit::platform::{Install, State};
use serde_json::Value;

use super::Market;
use crate::ledger::support::until;

/// Waits until the page has the button of this action.
async fn offers(market: &Market, install: &Install, action: &str) {
    let button = format!("id=\"{action}-{}\"", install.uuid());
    until(&format!("{action} is offered"), async || market.page().await.contains(&button)).await;
}

async fn start(environment: Vec<(&'static str, String)>) -> Market {
    let builder = Sandbox::osb_builder("tally", "development-only-password");
    Market::start_below("/osb", builder, |_| environment).await
}

/// Binds the app, as its button does.
async fn bind(market: &Market, install: &Install) {
    market.click(install, "actions/bind", &[]).await;
    until("the app has the credentials", async || install.config().contains_key("TALLY_TOKEN")).await;
}

#[tokio::test]
async fn an_instance_is_bound_changed_suspended_and_deprovisioned() {
    let market = start(Vec::new()).await;
    let install = market.sandbox.provision("basic").await;
    assert_eq!(install.state(), State::Provisioned);
    market.sees("Action", "Fetch catalog", 200).await;
    assert!(install.config().is_empty(), "the credentials come with a binding");
    bind(&market, &install).await;
    assert_eq!(market.counters(&install).await, 200);
    let page = market.page().await;
    assert!(
        page.contains("selling <strong>tally</strong> on Cloud Foundry") && page.contains("Open dashboard"),
        "{page}"
    );

    market.click(&install, "plan", &[("plan", "premium")]).await;
    until("the plan is changed", async || install.plan() == "premium").await;
    market.click(&install, "actions/fetch", &[]).await;
    market.sees("Action", "Fetch instance", 200).await;
    market.click(&install, "actions/suspend", &[]).await;
    offers(&market, &install, "reinstate").await;
    assert_eq!(market.counters(&install).await, 403);
    market.click(&install, "actions/reinstate", &[]).await;
    offers(&market, &install, "suspend").await;
    assert_eq!(market.counters(&install).await, 200);
    market.click(&install, "actions/unbind", &[]).await;
    until("the app is unbound", async || install.config().is_empty()).await;

    market.sandbox.inject_fault(Fault::Duplicate);
    let other = market.sandbox.provision("basic").await;
    market.sandbox.inject_fault(Fault::WrongPassword);
    market.click(&other, "remove", &[]).await;
    market.is_removed(&other).await;
    let recording = Recording::parse(&market.sandbox.export(RecordingFormat::Json, false)).unwrap();
    market.click(&install, "remove", &[]).await;
    market.is_removed(&install).await;
    assert_eq!(market.findings().await, [Value::Null; 0]);
    let replayed = market.sandbox.replay(&recording).await;
    assert!(replayed.iter().all(|call| call.status.is_some_and(|status| status < 500)), "{replayed:?}");
}

#[tokio::test]
async fn a_slow_provision_is_polled_and_a_lost_one_is_deleted() {
    let market = start(vec![("SET_UP_SECONDS", "3".to_owned())]).await;
    let install = market.sandbox.provision("premium").await;
    assert_eq!((install.state(), install.provision_status()), (State::Provisioning, Some(202)));
    until("it is provisioned", async || install.state() == State::Provisioned).await;
    market.sees("Poll", "Last operation", 200).await;
    bind(&market, &install).await;
    assert_eq!(market.counters(&install).await, 200);

    market.sandbox.inject_fault(Fault::DropReply);
    let lost = market.sandbox.provision("basic").await;
    market.is_removed(&lost).await;
    assert_eq!(market.findings().await, [Value::Null; 0]);
}
