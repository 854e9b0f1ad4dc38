//! Transfers of resources between teams.

use maitre::{Ledger, Vercel};
use maitre_testkit::vercel::Installation;
use serde_json::json;

use super::{Market, error, market_of};
use crate::ledger::support::until;

async fn transferring() -> Market {
    let offer = |vercel: Vercel, ledger: &Ledger, _: &_| vercel.with_transfers(ledger.store());
    market_of(offer, None).await
}

async fn resource(market: &Market, installation: &Installation, plan: &str) -> String {
    market.provisioned(installation, plan).await["id"].as_str().unwrap().to_owned()
}

async fn claim(market: &Market, source: &Installation, resources: &[&str]) -> String {
    let body = market.client.request_transfer(source, resources).await.expect(200).json();
    body["providerClaimId"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn resources_move_to_the_team_that_accepts_first() {
    let market = transferring().await;
    let (source, target, other) = (market.installed().await, market.installed().await, market.installed().await);
    let (first, second) = (resource(&market, &source, "basic").await, resource(&market, &source, "basic").await);
    let stays = resource(&market, &source, "premium").await;
    let claim = claim(&market, &source, &[&first, &second]).await;

    for candidate in [&target, &other] {
        let verified = market.client.verify_transfer(candidate, &claim).await.expect(200).json();
        assert_eq!(verified["newBillingPlan"]["id"], "basic", "{verified}");
    }
    market.client.resource(&source, &first).await.expect(200);
    let (one, two) = tokio::join!(
        market.client.accept_transfer(&target, &claim).send(),
        market.client.accept_transfer(&target, &claim).send(),
    );
    assert_eq!((one.expect(204).text(), two.expect(204).text()), (String::new(), String::new()));
    assert_eq!(error(&market.client.accept_transfer(&other, &claim).await.expect(409).json()).0, "conflict");
    market.client.verify_transfer(&other, &claim).await.expect(409);
    assert_eq!(market.client.verify_transfer(&target, &claim).await.expect(200).json(), json!({}));
    for id in [&first, &second] {
        market.client.resource(&source, id).await.expect(404);
        assert_eq!(market.client.resource(&target, id).await.expect(200).json()["id"], **id);
    }
    market.client.resource(&source, &stays).await.expect(200);
    until("the listener is notified", || async { market.vendor.account_notices().len() == 2 }).await;
    let notice = market.vendor.account_notices().remove(0);
    assert_eq!((notice.kind.as_str(), notice.account.as_str()), ("resource-transfer.accepted", target.id()));
    assert_eq!(notice.details.text("source"), Some(source.id()));
    assert!(market.vendor.provisions().iter().any(|request| Some(&request.resource) == notice.resource.as_ref()));

    // the new owner changes and deletes them; the old one cannot
    market.client.update(&target, &first, "premium").await.expect(200);
    market.client.update(&source, &second, "premium").await.expect(404);
    market.client.deprovision(&source, &first).await.expect(204);
    assert!(market.vendor.deprovisions().is_empty());
    market.client.deprovision(&target, &first).await.expect(204);
    market.client.accept_transfer(&target, &claim).await.expect(204);
    market.client.uninstall(&target).await.expect(200);
    assert_eq!(market.vendor.deprovisions().len(), 2);
    market.client.resource(&source, &stays).await.expect(200);
}

#[tokio::test]
async fn an_accept_that_was_interrupted_is_continued_by_its_repetition() {
    let market = transferring().await;
    let (source, target) = (market.installed().await, market.installed().await);
    let id = resource(&market, &source, "basic").await;
    let claim = claim(&market, &source, &[&id]).await;
    // the process died after it had recorded the target
    let (store, addon, empty, name) =
        (market.ledger.store(), market.api.addon(), maitre::ResourceId::from(""), format!("transfer {claim}"));
    let stored = store.read(addon, &empty, &name).await.unwrap().unwrap();
    let mut record: serde_json::Value = serde_json::from_slice(&stored.value).unwrap();
    record["target"] = target.id().into();
    assert!(store.write(addon, &empty, &name, record.to_string().as_bytes(), stored.version).await.unwrap());
    market.client.resource(&source, &id).await.expect(200);
    market.client.accept_transfer(&target, &claim).await.expect(204);
    market.client.resource(&target, &id).await.expect(200);
}

#[tokio::test]
async fn a_team_whose_paid_resource_has_moved_still_gets_a_final_invoice() {
    let market = transferring().await;
    let (source, target, free) = (market.installed().await, market.installed().await, market.installed().await);
    let paid = resource(&market, &source, "premium").await;
    let unpaid = resource(&market, &free, "basic").await;
    for (team, id) in [(&source, &paid), (&free, &unpaid)] {
        let claim = claim(&market, team, &[id]).await;
        market.client.accept_transfer(&target, &claim).await.expect(204);
    }
    let uninstall = async |team| market.client.uninstall(team).await.expect(200).json();
    assert_eq!(uninstall(&source).await, json!({ "finalized": false }));
    assert_eq!(uninstall(&free).await, json!({ "finalized": true }));
}

#[tokio::test]
async fn a_repeated_request_is_the_same_transfer() {
    let market = transferring().await;
    let source = market.installed().await;
    let (first, second) = (resource(&market, &source, "basic").await, resource(&market, &source, "premium").await);
    let call = || market.client.request_transfer(&source, &[&first]).header("idempotency-key", "t-1");
    let body = call().set("expiresAt", 4_000_000_000_000_i64).await.expect(200).json();
    assert_eq!(call().set("expiresAt", 4_000_000_000_000_i64).await.expect(200).json(), body);
    call().set("expiresAt", 4_000_000_000_001_i64).await.expect(409);
    let both = call().header("idempotency-key", "t-2").set("resourceIds", json!([first, second])).await;
    let target = market.installed().await;
    let claim = both.expect(200).json()["providerClaimId"].as_str().unwrap().to_owned();
    let verified = market.client.verify_transfer(&target, &claim).await.expect(200).json();
    assert_eq!(verified, json!({}), "the plans differ");
}

#[tokio::test]
async fn transfers_that_are_impossible_are_refused() {
    let market = transferring().await;
    let (source, target) = (market.installed().await, market.installed().await);
    let id = resource(&market, &source, "basic").await;
    let request = || market.client.request_transfer(&source, &[&id]);
    assert_eq!(error(&request().set("resourceIds", json!([])).await.expect(400).json()).1, ["resourceIds"]);
    request().set("resourceIds", json!([id, "unknown"])).await.expect(404);
    request().set("expiresAt", 1).await.expect(422);
    request().without("expiresAt").await.expect(400);
    market.client.request_transfer(&target, &[&id]).await.expect(404);
    let as_user = request().without_header("x-vercel-auth").bearer(&market.platform.user_token(&source).sign());
    as_user.await.expect(403);

    market.client.verify_transfer(&target, "unknown").await.expect(404);
    market.client.accept_transfer(&target, "unknown").await.expect(404);
    let own = claim(&market, &source, &[&id]).await;
    market.client.accept_transfer(&source, &own).await.expect(422);
    market.client.accept_transfer(&market.platform.new_installation(), &own).await.expect(404);
    market.client.deprovision(&source, &id).await.expect(204);
    market.client.verify_transfer(&target, &own).await.expect(409);
    market.client.accept_transfer(&target, &own).await.expect(409);
}
