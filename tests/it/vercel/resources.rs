//! Resources: idempotency by header, reads, changes, rotation.

use std::time::Duration;

use maitre::{Addon, Failure, Provisioned, Rotated, TraceParent, Updated, Vercel, VercelProvision};
use maitre_testkit::vercel::Vercel as Client;
use serde_json::{Value, json};

use super::{CLIENT_SECRET, INTEGRATION, Market, catalog, error, market};
use crate::support::Server;

#[tokio::test]
async fn a_provision_is_answered_with_secrets_and_read_back_without_them() {
    let market = market().await;
    let installation = market.installed().await;
    let call = market.client.provision(&installation, "lantern", "premium");
    let body = call.set("metadata", json!({ "region": "fra1", "size": 3 })).set("externalId", "template-1").await;
    let body = body.expect(200).json();
    let plan = json!({ "id": "premium", "type": "subscription", "name": "premium", "description": "Many lanterns",
        "scope": "resource", "paymentMethodRequired": true, "cost": "$29.00/month" });
    let mut expected = json!({ "id": "widget-1", "productId": "lantern", "name": "orders", "status": "ready",
        "metadata": { "region": "fra1", "size": 3 }, "billingPlan": plan });
    let read = market.client.resource(&installation, "widget-1").await.expect(200).json();
    assert_eq!(read, expected);
    expected["secrets"] = json!([{ "name": "LANTERN_URL", "value": "https://u:pw@eu1.lantern.example/widget-1" }]);
    assert_eq!(body, expected);
    let received = market.vendor.provisions().remove(0);
    assert_eq!(received.account, Some(installation.id().into()));
    assert_eq!((received.region.as_deref(), received.name.as_deref()), (Some("fra1"), Some("orders")));
    let view = received.view::<VercelProvision>().unwrap();
    assert_eq!(
        (view.external_id.as_deref(), view.user_id.as_deref()),
        (Some("template-1"), Some(installation.user_id()))
    );
}

#[tokio::test]
async fn the_same_key_is_the_same_resource_and_another_body_is_a_conflict() {
    let market = market().await;
    let installation = market.installed().await;
    market.vendor.on_provision(async |request| {
        let secret = request.resource.as_str().to_owned();
        Ok(Provisioned::new(request.resource).with_config("TOKEN", format!("{secret} {}", request.context.fence)))
    });
    let call = || market.client.provision(&installation, "lantern", "basic").header("idempotency-key", "77aa");
    let first = call().await.expect(200).text();
    let (second, third) = tokio::join!(call().send(), call().send());
    assert_eq!((second.expect(200).text(), third.expect(200).text()), (first.clone(), first.clone()));
    assert_eq!(market.vendor.provisions().len(), 1);
    let conflict = call().set("name", "other").await;
    assert_eq!(error(&conflict.expect(409).json()).0, "conflict");
    let other_key = call().header("idempotency-key", "77ab").await.expect(200).json();
    assert_ne!(other_key["id"], serde_json::from_str::<Value>(&first).unwrap()["id"]);
    let other = market.installed().await;
    market.client.provision(&other, "lantern", "basic").header("idempotency-key", "77aa").await.expect(200);
    for _ in 0..2 {
        call().without_header("idempotency-key").await.expect(200);
    }
    assert_eq!(market.vendor.provisions().len(), 5, "without a key each request is a resource");
}

#[tokio::test]
async fn a_provision_whose_answer_was_lost_is_repeated_on_another_process() {
    let market = market().await;
    let installation = market.installed().await;
    let vercel =
        Vercel::new(INTEGRATION, CLIENT_SECRET, catalog()).unwrap().with_issuer(&market.platform.issuer()).unwrap();
    let addon = Addon::new(vercel, market.ledger.wrap(market.vendor.clone()));
    let second = Server::start(axum::Router::new().nest("/vercel", maitre::vercel(addon))).await;
    let second = Client::new(&second_url(&second), &market.platform);
    market.vendor.delay_provisions(Duration::from_millis(300));
    let first = market.client.provision(&installation, "lantern", "basic").header("idempotency-key", "k-1");
    first.send_and_hang_up(Duration::from_millis(50)).await;
    let call = || second.provision(&installation, "lantern", "basic").header("idempotency-key", "k-1");
    let body = call().await.expect(200).text();
    assert_eq!(call().await.expect(200).text(), body);
    assert_eq!(market.vendor.provisions().len(), 1);
}

fn second_url(server: &Server) -> String {
    server.url("/vercel")
}

#[tokio::test]
async fn invalid_provisions_name_the_input() {
    let market = market().await;
    let installation = market.installed().await;
    let call = || market.client.provision(&installation, "lantern", "basic");
    let validation = |field: &str| ("validation_error".to_owned(), vec![field.to_owned()]);
    assert_eq!(error(&call().set("billingPlanId", "gold").await.expect(400).json()), validation("billingPlanId"));
    assert_eq!(error(&call().set("productId", "torch").await.expect(400).json()), validation("productId"));
    let region = call().set("metadata", json!({ "region": "xx1" })).await.expect(400).json();
    assert_eq!(error(&region), validation("region"));
    assert_eq!(error(&call().set("name", "").await.expect(400).json()), validation("name"));
    for field in ["name", "metadata", "productId", "billingPlanId"] {
        assert_eq!(error(&call().without(field).await.expect(400).json()).0, "validation_error", "{field}");
    }
    assert!(market.vendor.provisions().is_empty());
    market.vendor.on_provision(async |_| Err(Failure::refused("Lanterns are sold out in Frankfurt.")));
    let refused = call().await.expect(400).json();
    assert_eq!(refused["error"]["user"]["message"], "Lanterns are sold out in Frankfurt.");
    market.vendor.on_provision(async |_| Err(Failure::unavailable("the cluster is down")));
    let unavailable = call().await.expect(503).json();
    assert!(!unavailable.to_string().contains("cluster"), "{unavailable}");
}

#[tokio::test]
async fn a_resource_is_renamed_changed_and_deprovisioned() {
    let market = market().await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    let update = |plan: &str| market.client.update(&installation, &id, plan);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let change = update("premium").set("name", "renamed").header("traceparent", trace);
    let changed = change.await.expect(200).json();
    assert_eq!(market.vendor.plan_changes()[0].context.trace.as_ref().map(TraceParent::as_str), Some(trace));
    assert_eq!((&changed["name"], &changed["billingPlan"]["id"]), (&json!("renamed"), &json!("premium")));
    let renamed = update("premium").without("billingPlanId").set("name", "again").await.expect(200).json();
    assert_eq!((&renamed["name"], &renamed["billingPlan"]["id"]), (&json!("again"), &json!("premium")));
    assert_eq!((market.vendor.plan_changes().len(), market.vendor.updates().len()), (1, 0), "a name needs no listener");
    let metadata = || update("premium").set("metadata", json!({ "size": 5 }));
    assert_eq!(error(&metadata().await.expect(400).json()).0, "validation_error", "the listener has no parameters");
    market.vendor.on_update(async |_| Ok(Updated::new()));
    assert_eq!(metadata().await.expect(200).json()["metadata"], json!({ "size": 5 }));
    assert_eq!(error(&update("gold").await.expect(400).json()).1, ["billingPlanId"]);
    assert_eq!(market.client.resource(&installation, &id).await.expect(200).json()["name"], "again");

    for _ in 0..2 {
        assert_eq!(market.client.deprovision(&installation, &id).await.expect(204).text(), "");
    }
    market.client.deprovision(&installation, "unknown").await.expect(204);
    assert_eq!(market.vendor.deprovisions().len(), 1);
    market.client.resource(&installation, &id).await.expect(404);
    update("basic").await.expect(404);
    market.client.rotate(&installation, &id, 1.0).await.expect(404);
}

#[tokio::test]
async fn a_resource_of_another_installation_is_unknown() {
    let market = market().await;
    let (owner, other) = (market.installed().await, market.installed().await);
    let id = market.provisioned(&owner, "basic").await["id"].as_str().unwrap().to_owned();
    market.client.resource(&other, &id).await.expect(404);
    market.client.update(&other, &id, "premium").await.expect(404);
    market.client.rotate(&other, &id, 0.0).await.expect(404);
    market.client.resource_plans(&other, &id, None).await.expect(404);
    market.client.deprovision(&other, &id).await.expect(204);
    assert!(market.vendor.deprovisions().is_empty());
    market.client.resource(&owner, &id).await.expect(200);
}

async fn rotating() -> (Market, maitre_testkit::vercel::Installation, String) {
    let market = market().await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    market.vendor.on_rotate(async |request| {
        Ok(Rotated::new().with_config("LANTERN_URL", format!("https://{}@lantern.example", request.context.fence)))
    });
    (market, installation, id)
}

#[tokio::test]
async fn a_repeated_rotation_does_not_rotate_again() {
    let (market, installation, id) = rotating().await;
    let rotate = |key: &str| market.client.rotate(&installation, &id, 2.5).header("idempotency-key", key);
    let first = rotate("r-1").await.expect(200).json();
    assert_eq!((&first["sync"], &first["secrets"][0]["name"]), (&json!(true), &json!("LANTERN_URL")));
    assert_eq!(rotate("r-1").await.expect(200).json(), first);
    assert_ne!(rotate("r-2").await.expect(200).json(), first);
    let rotations = market.vendor.rotations();
    assert_eq!((rotations.len(), rotations[0].keep_old), (2, Duration::from_mins(150)));
    assert_eq!(rotations[0].reason.as_deref(), Some("scheduled"));
    market.client.rotate(&installation, &id, 1.0).body("").await.expect(200);
    assert!(market.vendor.rotations()[2].keep_old.is_zero());
}

#[tokio::test]
async fn the_overlap_of_a_rotation_is_0_to_720_hours() {
    let (market, installation, id) = rotating().await;
    for (hours, status) in [(0.0, 200), (720.0, 200), (0.25, 200), (721.0, 400), (-0.5, 400)] {
        market.client.rotate(&installation, &id, hours).await.expect(status);
    }
    let text = market.client.rotate(&installation, &id, 0.0).set("delayOldSecretsExpirationHours", "2").await;
    assert_eq!(error(&text.expect(400).json()).0, "validation_error");
}

#[tokio::test]
async fn plans_are_listed_before_the_installation_and_for_a_resource() {
    let market = market().await;
    let plans = market.client.product_plans("lantern", Some(&json!({ "region": "fra1" }))).await.expect(200).json();
    let ids: Vec<_> = plans["plans"].as_array().unwrap().iter().map(|plan| plan["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["basic", "premium"]);
    market.client.product_plans("torch", None).await.expect(404);
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    assert_eq!(market.client.resource_plans(&installation, &id, None).await.expect(200).json(), plans);
    assert_eq!(market.client.installation_plans(&installation).await.expect(200).json(), json!({ "plans": [] }));
}
