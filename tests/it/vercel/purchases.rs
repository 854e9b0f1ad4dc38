//! Purchases of credits.

use maitre::platforms::vercel::{Amount, Platform as Api};
use maitre::{Failure, Ledger, Vercel};
use serde_json::json;

use super::{Market, error, market_of, market_with};

/// Market that keeps balances in the ledger.
async fn selling_credits() -> Market {
    let offer = |vercel: Vercel, _: &Ledger, api: &Api| {
        let api = api.clone();
        vercel.with_purchases(move |purchase| {
            let api = api.clone();
            async move { api.credit(&purchase.account, &purchase.invoice).await }
        })
    };
    market_of(offer, None).await
}

#[tokio::test]
async fn a_paid_invoice_is_credited_once() {
    let market = selling_credits().await;
    let installation = market.installed().await;
    let items = [("tokens", Some("ltn_1"), "10.00"), ("tokens", Some("ltn_1"), "2.50"), ("credit", None, "5.00")];
    let invoice = market.platform.add_invoice(&installation, &items, "paid");
    let purchase = || market.client.purchase(&installation, &invoice);
    let (first, second) = tokio::join!(purchase().send(), purchase().send());
    let balances = first.expect(200).json()["balances"].clone();
    assert_eq!(
        balances,
        json!([{ "currencyValueInCents": 500 }, { "resourceId": "ltn_1", "currencyValueInCents": 1250 }])
    );
    assert_eq!(second.expect(200).json()["balances"], balances);
    assert_eq!(purchase().await.expect(200).json()["balances"], balances);

    let account = installation.id().into();
    let spent = market.api.spend(&account, Some("ltn_1"), Amount::from_cents(300)).await.unwrap();
    assert_eq!(spent.balances[1].currency_value_in_cents, 950);
    let spent = market.api.spend(&account, Some("ltn_1"), Amount::from_cents(300)).await.unwrap();
    assert_eq!(spent.balances[1].currency_value_in_cents, 950, "a running total");
    let more = market.platform.add_invoice(&installation, &[("tokens", Some("ltn_1"), "1.00")], "paid");
    let balances = market.client.purchase(&installation, &more).await.expect(200).json()["balances"].clone();
    assert_eq!(balances[1]["currencyValueInCents"], 1050);
    market
        .api
        .api(&account)
        .await
        .unwrap()
        .report_balances(&market.api.balances(&account).await.unwrap())
        .await
        .unwrap();
    assert_eq!(market.platform.balances(&installation)[0]["balances"], balances);
    assert_eq!(market.platform.problems(), []);
}

#[tokio::test]
async fn an_invoice_that_is_not_paid_or_not_known_is_refused() {
    let market = selling_credits().await;
    let (installation, other) = (market.installed().await, market.installed().await);
    let open = market.platform.add_invoice(&installation, &[("tokens", None, "10.00")], "pending");
    let refused = market.client.purchase(&installation, &open).await.expect(422).json();
    assert_eq!(refused["error"]["user"]["message"], "This invoice is not paid.");
    let foreign = market.platform.add_invoice(&other, &[("tokens", None, "10.00")], "paid");
    market.client.purchase(&installation, &foreign).await.expect(422);
    market.client.purchase(&installation, "").await.expect(400);
    market.client.purchase(&installation, "mi_1").without("invoiceId").await.expect(400);
    market.platform.set_invoice_state(&installation, &open, "paid");
    market.client.purchase(&installation, &open).await.expect(200);

    let system = market.client.purchase(&installation, &open);
    let user = market.platform.user_token(&installation);
    let as_user = |token: String| system.clone().without_header("x-vercel-auth").bearer(&token);
    as_user(user.sign()).await.expect(200);
    as_user(user.claim("user_role", "USER").sign()).await.expect(403);
    market.client.uninstall(&installation).await.expect(200);
    assert_eq!(error(&market.client.purchase(&installation, &open).await.expect(409).json()).0, "conflict");
}

#[tokio::test]
async fn the_vendor_may_keep_balances_of_its_own() {
    let market = market_with(|vercel| {
        vercel.with_purchases(async |purchase| match purchase.invoice.as_str() {
            "mi_7" => {
                Ok(json!({ "timestamp": "2026-03-04T05:06:07.000Z", "balances": [{ "currencyValueInCents": 1 }] }))
            }
            "mi_8" => Err(Failure::conflict("Another purchase is open.")),
            _ => Err(Failure::unavailable("the database is down")),
        })
    })
    .await;
    let installation = market.installed().await;
    let body = market.client.purchase(&installation, "mi_7").await.expect(200).json();
    assert_eq!(body["balances"][0]["currencyValueInCents"], 1);
    market.client.purchase(&installation, "mi_8").await.expect(409);
    market.client.purchase(&installation, "mi_9").await.expect(503);
}
