//! Calls, retries and errors of the client.

use std::time::Duration;

use maitre_core::Reload as _;
use maitre_testkit::platform::Fault;
use maitre_vercel::{
    Amount, Api, Balance, Balances, BillingItem, Discount, Error, ImportedResource, InstallationUpdate, InterimBilling,
    MetricKind, NewInvoice, Notification, Ownership, Period, ResourceStatus, ResourceUpdate, Secrets, TestResult,
    UsageMetric, connect,
};
use serde_json::json;
use time::macros::datetime;

use crate::support::Vendor;

fn march() -> Period {
    Period::month_of(datetime!(2026-03-04 5:06:07 UTC))
}

fn item() -> BillingItem {
    BillingItem::new("basic", "Storage", Amount::from_cents(450), 2.0, "GB").with_resource("ltn_1").with_details("eu1")
}

#[tokio::test]
async fn every_call_has_the_form_of_vercels_reference() {
    let vendor = Vendor::new().await;
    let api = vendor.api();
    let now = vendor.client.now();

    let secrets = Secrets::partial([("LANTERN_URL", "https://u4:pw@eu1")]);
    api.set_secrets("ltn_1", &secrets).await.unwrap();
    let notice = Notification::warn("Almost full").with_message("90 %").with_link("sso:https://lantern.example/usage");
    let update = ResourceUpdate::new()
        .status(ResourceStatus::Ready)
        .name("orders")
        .metadata(serde_json::Map::new())
        .billing_plan(json!({ "id": "basic" }))
        .ownership(Ownership::Owned)
        .secrets(&Secrets::all([("A", "1")]));
    api.update_resource("ltn_1", update.clone().notification(notice.clone())).await.unwrap();
    api.update_resource("ltn_1", update.clear_notification()).await.unwrap();
    let imported = ImportedResource::new("lantern", "old", &ResourceStatus::Ready)
        .ownership(Ownership::Linked)
        .billing_plan(json!({ "id": "basic" }))
        .metadata(serde_json::Map::new())
        .secrets(&Secrets::all([("B", "2")]));
    api.import_resource("a/b", imported).await.unwrap();
    assert_eq!(api.resource("a/b").await.unwrap().name, "old");
    let names: Vec<_> = api.resources().await.unwrap().into_iter().map(|resource| resource.id).collect();
    assert_eq!(names, ["a/b", "ltn_1"]);
    api.delete_resource("a/b").await.unwrap();
    api.resource_updated("ltn_1").await.unwrap();
    api.installation_updated().await.unwrap();
    let update = InstallationUpdate::new().status(ResourceStatus::Ready).external_id("c4").billing_plan(json!({}));
    api.update_installation(update.clone().notification(notice)).await.unwrap();
    api.update_installation(update.clear_notification()).await.unwrap();

    assert_eq!(api.account().await.unwrap().name.as_deref(), Some("Example Org"));
    assert_eq!(api.member(vendor.installation.user_id()).await.unwrap().id, vendor.installation.user_id());

    let mut usage = UsageMetric::new("Storage", MetricKind::Total, "GB");
    (usage.resource, usage.plan_value) = (Some("ltn_1".to_owned()), Some(1.0));
    let mut interim = InterimBilling::new(Period::month_of(now), now);
    (interim.items, interim.usage) = (vec![item()], vec![usage]);
    api.report_usage(&interim).await.unwrap();
    let balances = Balances::new(now, [Balance::from_cents(100), Balance::from_cents(5).with_resource("ltn_1")]);
    api.report_balances(&balances).await.unwrap();
    let discount = Discount::new("basic", "Welcome", Amount::from_cents(100));
    let invoice = NewInvoice::new(march(), [item()]).with_discounts([discount]).with_memo("Thank you.");
    let submitted = api.submit_invoice(&invoice.with_external_id("1")).await.unwrap();
    let read = api.invoice(&submitted.invoice_id.unwrap()).await.unwrap();
    assert_eq!((read.total, read.period), (Amount::from_cents(800), march()));
    let april = Period::month_of(datetime!(2026-04-01 0:00 UTC));
    assert!(api.submit_invoice(&NewInvoice::new(april, [item()]).with_test(TestResult::Overdue)).await.unwrap().test);

    assert_eq!(vendor.vercel.problems(), []);
}

#[tokio::test]
async fn an_uninstall_is_finalized_after_the_last_invoice() {
    let vendor = Vendor::new().await;
    let api = vendor.api();
    let last = NewInvoice::new(march(), [item()]).with_final(true);
    assert!(api.submit_invoice(&last).await.unwrap_err().is_conflict(), "the deletion is not pending");
    vendor.vercel.begin_finalizing(&vendor.installation);
    let id = api.submit_invoice(&last).await.unwrap().invoice_id.unwrap();
    assert!(api.finalize().await.unwrap_err().is_conflict(), "the invoice is open");
    vendor.vercel.set_invoice_state(&vendor.installation, &id, "paid");
    api.finalize().await.unwrap();
    let error = api.account().await.unwrap_err();
    assert!(error.is_installation_gone() && !error.is_transient(), "{error}");
}

/// A call, and whether it is repeated.
type Case = (bool, fn(Api) -> Called);

type Called = std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

#[tokio::test]
async fn only_calls_without_further_effect_are_repeated() {
    let calls: [Case; 6] = [
        (true, |api| Box::pin(async move { api.account().await.map(drop) })),
        (true, |api| Box::pin(async move { api.set_secrets("ltn_1", &Secrets::all([("A", "1")])).await })),
        (true, |api| Box::pin(async move { api.update_resource("ltn_1", ResourceUpdate::new().name("b")).await })),
        (false, |api| Box::pin(async move { api.submit_invoice(&NewInvoice::new(march(), [item()])).await.map(drop) })),
        (false, |api| Box::pin(async move { api.refund("mi_1", "outage", Amount::from_cents(1)).await })),
        (false, |api| Box::pin(async move { api.rotate_access_token().await.map(drop) })),
    ];
    for (repeated, call) in calls {
        for fault in [Fault::status(503), Fault::drop_connection()] {
            let vendor = Vendor::new().await;
            vendor.vercel.inject_fault(fault.times(2));
            let result = call(vendor.api()).await;
            assert_eq!(vendor.call_count(), usize::from(repeated), "{result:?}");
            if repeated {
                result.unwrap();
            } else {
                assert!(result.unwrap_err().is_transient());
            }
        }
        let vendor = Vendor::new().await;
        vendor.vercel.inject_fault(Fault::status(429).header("retry-after", "0"));
        drop(call(vendor.api()).await);
        assert_eq!(vendor.call_count(), 1, "a refused call is repeated");
    }
}

#[tokio::test]
async fn a_long_retry_after_is_an_error_with_the_time() {
    let vendor = Vendor::new().await;
    vendor.vercel.inject_fault(Fault::status(429).header("retry-after", "90"));
    let api = vendor.api();
    let error = api.account().await.unwrap_err();
    assert_eq!((error.is_rate_limited(), error.retry_after()), (true, Some(Duration::from_secs(90))));
    assert!(api.account().await.unwrap_err().is_rate_limited(), "the next call is not sent");
    assert_eq!(vendor.call_count(), 0);
}

#[tokio::test]
async fn errors_and_debug_output_contain_no_secret() {
    let vendor = Vendor::new().await;
    let api = vendor.api();
    let secrets = Secrets::all([("LANTERN_URL", "https://u4:pw9@eu1")]);
    vendor.vercel.inject_fault(Fault::not_json().on("GET", "/v1/installations/*/account"));
    let error = api.account().await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    let shown = format!("{api:?} {:?} {secrets:?} {error:?} {error}", vendor.client);
    let update = format!("{:?}", ResourceUpdate::new().secrets(&secrets));
    for secret in ["s3cr3t", "pw9", vendor.installation.access_token()] {
        assert!(!shown.contains(secret) && !update.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn tokens_are_sent_to_the_api_only_and_encrypted() {
    let error = connect().url("http://api.vercel.com").build().unwrap_err();
    assert!(error.is_builder() && error.to_string().contains("unencrypted"), "{error}");

    let (vendor, elsewhere) = (Vendor::new().await, Vendor::new().await);
    vendor.vercel.inject_fault(Fault::redirect(elsewhere.server.url()).always());
    assert_eq!(vendor.api().account().await.unwrap_err().status(), Some(307));
    assert_eq!(elsewhere.call_count(), 0);

    let dots = vendor.client.installation("..", "token".into());
    assert!(dots.account().await.unwrap_err().to_string().contains("cannot send the request"));
}

#[tokio::test]
async fn an_old_client_secret_is_sent_until_vercel_accepts_the_new_one() {
    let vendor = Vendor::new().await;
    let api = vendor.api();
    vendor.client.reload("newer s3cr3t\n", vendor.client.now(), Duration::from_hours(1)).unwrap();
    api.rotate_access_token().await.unwrap();
    assert_eq!(vendor.call_count(), 2, "the newer secret was refused");
    vendor.vercel.reset_client_secret("newer s3cr3t");
    api.rotate_access_token().await.unwrap();
    assert_eq!(vendor.call_count(), 3);
    vendor.vercel.reset_client_secret("unknown");
    assert!(api.rotate_access_token().await.unwrap_err().is_forbidden());
}
