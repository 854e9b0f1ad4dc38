//! QuickNode: accounts with endpoints.

use maitre_sandbox::{Fault, Recording, RecordingFormat, Sandbox};
use maitre_testkit::platform::{Install, State};

use super::Market;
use crate::ledger::support::until;

async fn start() -> Market {
    let builder = Sandbox::quicknode_builder("tally", "development-only-password", "development-only-jwt-secret");
    Market::start(builder, |_| Vec::new()).await
}

/// Installs the add-on for an endpoint of this account, as the page does.
async fn endpoint(market: &Market, account: &str) -> Install {
    let known = market.sandbox.platform().installs().len();
    market.install(&[("plan", "basic"), ("app", account)]).await;
    let newest = || market.sandbox.platform().installs().into_iter().max_by_key(Install::created_at);
    until("the endpoint is provisioned", async || {
        market.sandbox.platform().installs().len() > known
            && newest().is_some_and(|install| install.state() == State::Provisioned)
    })
    .await;
    newest().unwrap()
}

#[tokio::test]
async fn an_account_has_endpoints_and_one_plan() {
    let market = start().await;
    let (one, two) = (endpoint(&market, "acme").await, endpoint(&market, "acme").await);
    let other = endpoint(&market, "globex").await;
    assert!(one.config()["dashboard-url"].ends_with("/quicknode/sso"), "{:?}", one.config());
    market.click(&two, "plan", &[("plan", "premium")]).await;
    until("the account has the plan", async || one.plan() == "premium" && two.plan() == "premium").await;
    assert_eq!(other.plan(), "basic");

    let signed_on = market.try_sign_on(&one).await;
    assert!(signed_on.ends_with("200") && !signed_on.contains(':'), "{signed_on}");
    market.sandbox.inject_fault(Fault::StaleToken);
    let stale = market.try_sign_on(&one).await;
    assert!(stale.contains("as it must be for an expired token"), "{stale}");
    market.click(&one, "actions/health", &[]).await;
    market.sees("Action", "Check health", 200).await;

    market.sandbox.inject_fault(Fault::Duplicate);
    endpoint(&market, "globex").await;
    market.click(&one, "remove", &[]).await; // deactivates the endpoint
    market.is_removed(&one).await;
    assert_eq!(two.state(), State::Provisioned);
    let recording = Recording::parse(&market.sandbox.export(RecordingFormat::Json, false)).unwrap();
    market.click(&two, "actions/deprovision-account", &[]).await;
    market.is_removed(&two).await;
    assert_eq!(other.state(), State::Provisioned, "of another account");
    assert_eq!(market.findings().await, [serde_json::Value::Null; 0]);

    let replayed = market.sandbox.replay(&recording).await;
    assert!(replayed.iter().filter(|call| call.title.starts_with("Provision")).all(|call| call.status == Some(200)));
}
