//! Webhooks: signed, recorded, and handled once per delivery.

use serde_json::{Value, json};

use super::{Market, market, market_with};
use crate::ledger::support::until;

fn event(id: &str, kind: &str, installation: &str) -> Value {
    json!({ "id": id, "type": kind, "createdAt": 1_700_000_000_000_i64,
            "payload": { "configuration": { "id": installation }, "installationId": "oac_wrong", "resourceId": "r-1" } })
}

async fn notices(market: &Market, count: usize) {
    until("the notices are handled", || async { market.vendor.account_notices().len() >= count }).await;
}

#[tokio::test]
async fn an_event_reaches_the_listener_once() {
    let market = market().await;
    let installation = market.installed().await;
    let paid = event("evt_1", "marketplace.invoice.paid", installation.id());
    for _ in 0..3 {
        market.client.webhook("/webhooks", &paid).await.expect(200);
    }
    notices(&market, 1).await;
    market.client.webhook("/webhooks", &event("evt_2", "a.future.event", installation.id())).await.expect(200);
    notices(&market, 2).await;
    let received = market.vendor.account_notices();
    assert_eq!(received.len(), 2);
    assert_eq!((received[0].kind.as_str(), received[0].id.as_deref()), ("marketplace.invoice.paid", Some("evt_1")));
    assert_eq!(received[0].account, installation.id());
    assert_eq!(received[0].resource.as_ref().map(maitre::ResourceId::as_str), Some("r-1"));
    let other = json!({ "id": "evt_3", "type": "deployment.created", "createdAt": 1, "payload": { "deployment": {} } });
    market.client.webhook("/webhooks", &other).await.expect(200);
}

#[tokio::test]
async fn a_removed_installation_is_closed_with_its_resources() {
    let market = market().await;
    let installation = market.installed().await;
    market.provisioned(&installation, "premium").await;
    assert_eq!(market.client.uninstall(&installation).await.expect(200).json(), json!({ "finalized": false }));
    let second = market.installed().await;
    market.provisioned(&second, "premium").await;
    for (id, removed) in [("evt_1", &installation), ("evt_2", &second)] {
        let removed = event(id, "integration-configuration.removed", removed.id());
        market.client.webhook("/webhooks", &removed).await.expect(200);
    }
    notices(&market, 2).await;
    assert_eq!((market.vendor.deprovisions().len(), market.vendor.closed_accounts().len()), (2, 2));
    market.client.installation(&installation).await.expect(404);
    market.client.installation(&second).await.expect(404);
}

#[tokio::test]
async fn a_wrong_signature_is_refused() {
    let market = market().await;
    let installation = market.installed().await;
    let paid = event("evt_1", "marketplace.invoice.paid", installation.id());
    let webhook = || market.client.webhook("/webhooks", &paid);
    for call in [
        webhook().without_header("x-vercel-signature"),
        webhook().header("x-vercel-signature", ""),
        webhook().header("x-vercel-signature", "zz"),
        webhook().header("x-vercel-signature", "0448e373adae89cb28e6ecf972771746e92b4b48"),
        webhook().body(paid.to_string().replace("paid", "owed")),
    ] {
        assert_eq!(call.await.expect(403).json()["code"], "invalid_signature");
    }
    assert!(market.vendor.account_notices().is_empty());
    let lenient = market_with(|vercel| vercel.with_refused_webhook_status(axum::http::StatusCode::OK)).await;
    lenient.client.webhook("/webhooks", &paid).header("x-vercel-signature", "00").await.expect(200);
}
