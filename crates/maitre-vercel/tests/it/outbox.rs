//! Usage, invoices and refunds of the outbox.

use std::sync::Mutex;

use maitre_testkit::{platform::Fault, vercel::InvoiceRecord};
use maitre_vercel::{Amount, Client, Period, Platform, PlatformError, StatementState, Usage, connect};
use time::{Duration, OffsetDateTime, macros::datetime};

use crate::support::{Store, Vendor};

const INVOICES: &str = "/v1/installations/*/billing/invoices";

fn march() -> Period {
    Period::month_of(datetime!(2026-03-04 5:06:07 UTC))
}

fn requests(resource: &str, thousands: f64) -> Usage {
    Usage::new(resource, "basic", "Requests", Amount::from_cents(2), thousands, "1,000")
}

fn total(invoices: &[InvoiceRecord]) -> i64 {
    invoices.iter().map(InvoiceRecord::total_cents).sum()
}

async fn sent(platform: &Platform, store: &Store, vendor: &Vendor, period: Period) {
    let account = vendor.installation.id().into();
    let is_sent = async || {
        let statement = platform.statement(&account, period).await;
        matches!(statement, Ok(Some(statement)) if statement.state == StatementState::Sent)
    };
    store.work_until(platform, is_sent).await;
}

#[tokio::test]
async fn a_worker_submits_the_invoice_after_the_end_of_the_period() {
    let (vendor, store) = (Vendor::new().await, Store::new().await);
    let platform = Platform::builder(vendor.client.clone(), store.ledger.store()).build();
    let account = store.open(&vendor.installation).await;
    platform.meter(&account, march(), requests("ltn_1", 40.0)).await.unwrap();
    platform.meter(&account, march(), requests("ltn_1", 45.0)).await.unwrap();
    let flat = Usage::flat("ltn_2", "premium", "Premium", Amount::from_cents(2_900));
    platform.meter(&account, march(), flat).await.unwrap();

    vendor.vercel.inject_fault(Fault::status(503).on("POST", INVOICES));
    sent(&platform, &store, &vendor, march()).await;
    let invoices = vendor.vercel.invoices(&vendor.installation);
    assert_eq!((invoices.len(), total(&invoices)), (1, 2_990));
    let statement = platform.statement(&account, march()).await.unwrap().unwrap();
    assert_eq!(statement.invoice_id.as_deref(), Some(invoices[0].id.as_str()));
    let late = platform.meter(&account, march(), requests("ltn_1", 46.0)).await;
    assert!(matches!(late, Err(PlatformError::PeriodClosed(_))), "{late:?}");
    assert_eq!(vendor.vercel.problems(), []);
    store.close().await;
}

#[tokio::test]
async fn usage_is_reported_during_the_period() {
    let (vendor, store) = (Vendor::new().await, Store::new().await);
    let platform = Platform::builder(vendor.client.clone(), store.ledger.store());
    let platform = platform.usage_interval(std::time::Duration::from_millis(1)).build();
    let account = store.open(&vendor.installation).await;
    let now = OffsetDateTime::now_utc();
    let current = Period::new(now - Duration::days(2), now + Duration::days(2));
    platform.meter(&account, current, requests("ltn_1", 40.0)).await.unwrap();
    store.work_until(&platform, async || !vendor.vercel.usage(&vendor.installation).is_empty()).await;

    let report = &vendor.vercel.usage(&vendor.installation)[0];
    let usage = &report["usage"][0];
    assert_eq!(
        (&usage["resourceId"], &usage["dayValue"], &usage["periodValue"]),
        (&"ltn_1".into(), &40.0.into(), &40.0.into())
    );
    assert_eq!(report["billing"]["items"][0]["total"], "0.80");
    assert!(vendor.vercel.invoices(&vendor.installation).is_empty(), "the period has not ended");
    assert_eq!(vendor.vercel.problems(), []);
    store.close().await;
}

#[tokio::test]
async fn a_lost_answer_is_resolved_by_the_conflict_and_the_event_brings_the_id() {
    let (vendor, store) = (Vendor::new().await, Store::new().await);
    let platform = Platform::builder(vendor.client.clone(), store.ledger.store()).build();
    let account = store.open(&vendor.installation).await;
    platform.meter(&account, march(), requests("ltn_1", 40.0)).await.unwrap();
    vendor.vercel.inject_fault(Fault::drop_connection().after_work().on("POST", INVOICES));
    sent(&platform, &store, &vendor, march()).await;

    let invoices = vendor.vercel.invoices(&vendor.installation);
    assert_eq!((invoices.len(), total(&invoices)), (1, 80));
    assert_eq!(platform.statement(&account, march()).await.unwrap().unwrap().invoice_id, None);
    let refused = platform.refund(&account, march(), "outage", Amount::from_cents(80)).await;
    assert!(matches!(refused, Err(PlatformError::NoInvoice(_))), "{refused:?}");

    let external_id = invoices[0].submitted["externalId"].as_str().unwrap();
    assert!(!platform.record_invoice_id(&account, "2023-11", "mi_9").await.unwrap(), "not of the outbox");
    assert!(platform.record_invoice_id(&account, external_id, &invoices[0].id).await.unwrap());
    vendor.vercel.set_invoice_state(&vendor.installation, &invoices[0].id, "paid");
    platform.refund(&account, march(), "outage", Amount::from_cents(30)).await.unwrap();
    platform.refund(&account, march(), "outage", Amount::from_cents(30)).await.unwrap();
    vendor.vercel.inject_fault(
        Fault::drop_connection().after_work().on("POST", "/v1/installations/*/billing/invoices/*/actions"),
    );
    let is_refunded = async || platform.statement(&account, march()).await.unwrap().unwrap().refunded;
    store.work_until(&platform, is_refunded).await;
    let refund = vendor.vercel.invoices(&vendor.installation)[0].refund.clone();
    assert_eq!(refund, Some(("outage".to_owned(), "0.30".to_owned())));
    let actions = vendor.vercel.calls().iter().filter(|call| call.path.ends_with("/actions")).count();
    assert_eq!(actions, 1, "the refund was received by the first request");
    store.close().await;
}

#[tokio::test]
async fn a_conflict_of_an_invoice_that_was_never_sent_waits_for_an_operator() {
    let (vendor, store) = (Vendor::new().await, Store::new().await);
    let platform = Platform::builder(vendor.client.clone(), store.ledger.store()).build();
    let account = store.open(&vendor.installation).await;
    let before = maitre_vercel::NewInvoice::new(march(), []).with_external_id(march().external_id());
    vendor.api().submit_invoice(&before).await.unwrap();
    platform.meter(&account, march(), requests("ltn_1", 40.0)).await.unwrap();
    let is_disputed = async || {
        let statement = platform.statement(&account, march()).await.unwrap().unwrap();
        statement.state == StatementState::Disputed
    };
    store.work_until(&platform, is_disputed).await;
    assert_eq!(vendor.vercel.invoices(&vendor.installation).len(), 1);
    store.close().await;
}

#[tokio::test]
async fn the_last_invoice_of_an_uninstalled_team_is_final_and_none_follows_a_removal() {
    let (vendor, store) = (Vendor::new().await, Store::new().await);
    let platform = Platform::builder(vendor.client.clone(), store.ledger.store()).build();
    let account = store.open(&vendor.installation).await;
    let now = OffsetDateTime::now_utc();
    let current = Period::new(now - Duration::days(2), now);
    platform.meter(&account, current, requests("ltn_1", 40.0)).await.unwrap();
    vendor.vercel.begin_finalizing(&vendor.installation);
    platform.close_period(&account, current, true).await.unwrap();
    let unmetered = platform.close_period(&account, march(), true).await;
    assert!(matches!(unmetered, Err(PlatformError::NoInvoice(_))), "{unmetered:?}");
    sent(&platform, &store, &vendor, current).await;
    assert_eq!(vendor.vercel.invoices(&vendor.installation)[0].submitted["final"], true);

    platform.meter(&account, march(), requests("ltn_1", 40.0)).await.unwrap();
    vendor.vercel.remove(&vendor.installation);
    let is_lost = async || platform.statement(&account, march()).await.unwrap().unwrap().state == StatementState::Lost;
    store.work_until(&platform, is_lost).await;
    store.close().await;
}

#[tokio::test]
async fn two_processes_that_meter_concurrently_lose_nothing() {
    let (vendor, store) = (Vendor::new().await, Store::new().await);
    let platform = Platform::builder(vendor.client.clone(), store.ledger.store()).build();
    let account = store.open(&vendor.installation).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (platform, account) = (platform.clone(), account.clone());
        tasks.spawn(async move { platform.meter(&account, march(), requests(&format!("ltn_{number}"), 5.0)).await });
    }
    while let Some(metered) = tasks.join_next().await {
        metered.unwrap().unwrap();
    }
    assert_eq!(platform.statement(&account, march()).await.unwrap().unwrap().total(), Amount::from_cents(200));
    store.close().await;
}

#[tokio::test]
async fn nothing_is_billed_without_usage_or_before_the_end() {
    static NOW: Mutex<OffsetDateTime> = Mutex::new(datetime!(2026-03-31 23:59 UTC));
    let (vendor, store) = (Vendor::with_clock(|| *NOW.lock().unwrap()).await, Store::new().await);
    let platform = Platform::builder(vendor.client.clone(), store.ledger.store());
    let platform = platform.invoice_delay(std::time::Duration::from_hours(1)).build();
    let account = store.open(&vendor.installation).await;
    platform.meter(&account, march(), requests("ltn_1", 0.0)).await.unwrap();
    *NOW.lock().unwrap() = datetime!(2026-04-01 1:00 UTC);
    sent(&platform, &store, &vendor, march()).await;
    assert!(vendor.vercel.invoices(&vendor.installation).is_empty());
    store.close().await;
}

#[tokio::test]
async fn a_period_without_a_token_is_reported_as_such() {
    let (vendor, store) = (Vendor::new().await, Store::new().await);
    let platform = Platform::builder(vendor.client.clone(), store.ledger.store()).build();
    let error = platform.api(&"icfg_unknown".into()).await.unwrap_err();
    assert!(matches!(error, PlatformError::NoToken(_)), "{error}");
    let client = Client::new("oac_other", "s", connect().build().unwrap()).unwrap();
    let other = Platform::builder(client, store.ledger.store()).build();
    assert_ne!(other.addon(), platform.addon());
    store.close().await;
}
