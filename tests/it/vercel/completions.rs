//! Operations that complete after their answer: pending resources and slow rotations.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use maitre::backend::Backend;
use maitre::{Addon, AddonId, Failure, FailureKind, Provision, Provisioned, Rotated};
use maitre_testkit::vercel::Installation;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{Market, api, connected, market, open};
use crate::ledger::support::until;
use crate::support::Vendor;

/// Time after which the listener is asked again.
const SOON: Duration = Duration::from_millis(5);

/// Lets a vendor answer the first `count` provisions as pending.
fn pending_at_first(vendor: &Vendor, count: usize) {
    let calls = Arc::new(AtomicUsize::new(0));
    vendor.on_provision(move |request| {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            let reply = Provisioned::new(format!("ltn_{}", request.resource));
            Ok(if call < count {
                reply.with_config("LANTERN_URL", "https://u4:first@lantern.example").with_pending(SOON)
            } else {
                reply.with_config("LANTERN_HOST", "eu1.lantern.example")
            })
        }
    });
}

async fn pending(market: &Market, installation: &Installation) -> (String, Value) {
    let call = market.client.provision(installation, "lantern", "basic").header("idempotency-key", "k-1");
    let body = call.await.expect(200).json();
    assert_eq!((&body["status"], body["secrets"].as_array().map(Vec::len)), (&json!("pending"), Some(1)), "{body}");
    (body["id"].as_str().unwrap().to_owned(), body)
}

async fn status(market: &Market, installation: &Installation, id: &str) -> Value {
    market.client.resource(installation, id).await.expect(200).json()["status"].clone()
}

async fn is_reported(market: &Market, installation: &Installation, id: &str, status: &str) {
    let is = || async { market.platform.resource(installation, id).is_some_and(|known| known["status"] == status) };
    until("Vercel knows the status", is).await;
}

#[tokio::test]
async fn a_pending_resource_is_reported_when_it_is_ready() {
    let market = connected(SOON).await;
    let installation = market.installed().await;
    pending_at_first(&market.vendor, 3);
    let (id, first) = pending(&market, &installation).await;
    assert_eq!(status(&market, &installation, &id).await, "pending");
    let again = market.client.provision(&installation, "lantern", "basic").header("idempotency-key", "k-1");
    assert_eq!(again.await.expect(200).json(), first, "a repetition");
    assert_eq!(market.vendor.provisions().len(), 1);

    let worker = market.work();
    // the listener is ready before Vercel has received the answer
    until("a report is refused", || async { market.platform.calls().iter().any(|call| call.status == 404) }).await;
    market.platform.add_resource(&installation, &id, "lantern");
    is_reported(&market, &installation, &id, "ready").await;
    assert_eq!(status(&market, &installation, &id).await, "ready");
    let secrets = market.platform.secrets(&installation, &id);
    assert_eq!(secrets.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["LANTERN_HOST", "LANTERN_URL"]);
    let again = market.client.provision(&installation, "lantern", "basic").header("idempotency-key", "k-1");
    let again = again.await.expect(200).json();
    assert_eq!(
        (&again["id"], &again["status"], &again["secrets"][1]["name"]),
        (&first["id"], &json!("ready"), &json!("LANTERN_HOST"))
    );
    let calls = market.vendor.provisions();
    assert_eq!(calls.len(), 4);
    assert!(
        calls.windows(2).all(|two| two[0].resource == two[1].resource && two[0].context.fence < two[1].context.fence)
    );
    assert_eq!(calls[3].name.as_deref(), Some("orders"), "the request is the same");
    assert_eq!(market.platform.problems(), []);
    worker.abort();
}

#[tokio::test]
async fn another_process_completes_what_is_pending() {
    let market = connected(SOON).await;
    let installation = market.installed().await;
    pending_at_first(&market.vendor, 2);
    let (id, _) = pending(&market, &installation).await;
    market.platform.add_resource(&installation, &id, "lantern");
    let Market { server, ledger, addon, vendor, serving, folder, platform, .. } = market;
    let vercel = addon.marketplace().clone();
    server.stop().await;
    drop(addon);
    ledger.close().await;

    let ledger = open(&format!("sqlite://{}", folder.0.join("ledger.db").display())).await;
    let hooks = api(serving.url(), &ledger);
    let addon = Addon::new(vercel, ledger.wrap(vendor.clone()).with_platform(hooks));
    let worker = tokio::spawn(ledger.worker([addon]).poll_interval(SOON).run(std::future::pending()));
    let is_ready = || async { platform.resource(&installation, &id).is_some_and(|known| known["status"] == "ready") };
    until("it is ready", is_ready).await;
    assert_eq!(vendor.provisions().len(), 3);
    worker.abort();
}

#[tokio::test]
async fn a_pending_resource_that_fails_is_reported_and_can_be_deleted() {
    let market = connected(SOON).await;
    let installation = market.installed().await;
    market.vendor.on_provision(async |request| {
        if request.context.fence > 1 {
            return Err(Failure::refused("The region is full."));
        }
        Ok(Provisioned::new("ltn_1").with_config("A", "b").with_pending(SOON))
    });
    let (id, _) = pending(&market, &installation).await;
    market.platform.add_resource(&installation, &id, "lantern");
    let worker = market.work();
    is_reported(&market, &installation, &id, "error").await;
    assert_eq!(status(&market, &installation, &id).await, "error");
    let again = market.client.provision(&installation, "lantern", "basic").header("idempotency-key", "k-1");
    assert_eq!(again.await.expect(400).json()["error"]["user"]["message"], "The region is full.");
    market.client.deprovision(&installation, &id).await.expect(204);
    assert_eq!(market.vendor.deprovisions().len(), 1);
    worker.abort();
}

#[tokio::test]
async fn a_deprovision_ends_the_checks() {
    let market = market().await;
    let installation = market.installed().await;
    market.vendor.on_provision(async |_| Ok(Provisioned::new("ltn_1").with_config("A", "b").with_pending(SOON)));
    let (id, _) = pending(&market, &installation).await;
    assert_eq!(market.ledger.stats().await.unwrap().open_jobs, 1);
    market.client.deprovision(&installation, &id).await.expect(204);
    assert_eq!(market.ledger.stats().await.unwrap().open_jobs, 0);
}

#[tokio::test]
async fn a_marketplace_that_cannot_show_it_waits_for_a_ready_resource() {
    let market = market().await;
    pending_at_first(&market.vendor, 1);
    let listener = market.ledger.wrap(market.vendor.clone());
    let request = Provision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21", "basic");
    let failure = listener.provision(request.clone()).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Unavailable);
    let worker = market.ledger.worker([Addon::new(market.addon.marketplace().clone(), listener.clone())]);
    drop(worker);
    let is_ready = || async { listener.provision(request.clone()).await.is_ok_and(|outcome| outcome.done().is_some()) };
    until("a retry succeeds", is_ready).await;
}

/// Lets rotations wait until a permit is added.
fn slow_rotations(vendor: &Vendor, result: fn(u64) -> maitre::Result<Rotated>) -> Arc<Semaphore> {
    let gate = Arc::new(Semaphore::new(0));
    let permits = gate.clone();
    vendor.on_rotate(move |request| {
        let permits = permits.clone();
        async move {
            permits.acquire().await?.forget();
            result(request.context.fence)
        }
    });
    gate
}

#[tokio::test]
async fn a_slow_rotation_is_accepted_and_its_secrets_are_sent_later() {
    let market = connected(SOON).await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    market.platform.add_resource(&installation, &id, "lantern");
    let gate = slow_rotations(&market.vendor, |fence| {
        Ok(Rotated::new().with_config("LANTERN_URL", format!("https://{fence}")))
    });
    let rotate = || market.client.rotate(&installation, &id, 1.0).header("idempotency-key", "r-1");
    for _ in 0..2 {
        assert_eq!(rotate().await.expect(202).json(), json!({ "sync": false }));
    }
    assert_eq!(market.platform.secrets(&installation, &id), []);
    gate.add_permits(1);
    let secrets = || market.platform.secrets(&installation, &id);
    until("Vercel has the secrets", || async { !secrets().is_empty() }).await;
    let replayed = rotate().await.expect(200).json();
    assert_eq!((&replayed["sync"], replayed["secrets"][0]["value"].as_str()), (&json!(true), Some(&*secrets()[0].1)));
    assert_eq!(market.vendor.rotations().len(), 1);
    assert_eq!(market.platform.problems(), []);
}

#[tokio::test]
async fn a_slow_rotation_that_fails_is_reported_as_a_notification() {
    let market = connected(SOON).await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    market.platform.add_resource(&installation, &id, "lantern");
    let gate = slow_rotations(&market.vendor, |_| Err(Failure::refused("The credentials are locked.")));
    market.client.rotate(&installation, &id, 1.0).await.expect(202);
    gate.add_permits(1);
    let level = || market.platform.resource(&installation, &id).map(|known| known["notification"]["level"].clone());
    until("Vercel has the notification", || async { level() == Some(json!("error")) }).await;
    assert_eq!(market.platform.secrets(&installation, &id), []);
}
