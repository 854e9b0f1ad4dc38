//! Installing, updating and uninstalling.

use maitre::Secret;
use maitre::catalog::{Catalog, Plan, Price, Service};
use maitre::{Addon, AddonId, Ledger, Vercel, VercelInstallation};
use maitre_testkit::vercel::{Platform, Vercel as Client};
use serde_json::json;

use super::{CLIENT_SECRET, INTEGRATION, error, market, market_with};
use crate::support::{Folder, Server, Vendor};

#[tokio::test]
async fn an_installation_is_recorded_with_its_token_and_team() {
    let market = market().await;
    let installation = market.installed().await;
    let addon = AddonId::new("vercel", INTEGRATION);
    let account = market.ledger.store().account(&addon, &installation.id().into()).await.unwrap().expect("an account");
    assert_eq!(account.credentials.as_ref().map(Secret::expose), Some(installation.access_token()));
    let opened = market.vendor.opened_accounts().remove(0);
    let view = opened.view::<VercelInstallation>().unwrap();
    assert_eq!(view.scopes, ["read-write:integration-resource"]);
    assert_eq!(view.account.expect("a team").contact.text("email"), Some("ada@customer.example"));
    assert_eq!(view.user_id.as_deref(), Some(installation.user_id()));
    market.client.install(&installation).without("account").await.expect(204);
    assert_eq!(market.client.installation(&installation).await.expect(200).json(), json!({}));
    let missing = market.client.install(&installation).without("credentials").await;
    assert_eq!(error(&missing.expect(400).json()).0, "validation_error");
    assert_eq!(market.vendor.opened_accounts().len(), 2);
    market.client.installation(&market.platform.new_installation()).await.expect(404);
}

#[tokio::test]
async fn uninstalling_without_a_paid_plan_is_final_and_removes_every_resource() {
    let market = market().await;
    let installation = market.installed().await;
    for _ in 0..3 {
        market.provisioned(&installation, "basic").await;
    }
    assert_eq!(market.client.uninstall(&installation).await.expect(200).json(), json!({ "finalized": true }));
    assert_eq!((market.vendor.deprovisions().len(), market.vendor.closed_accounts().len()), (3, 1));
    for _ in 0..2 {
        assert_eq!(market.client.uninstall(&installation).await.expect(204).text(), "");
    }
    assert_eq!(market.vendor.deprovisions().len(), 3);
    market.client.installation(&installation).await.expect(404);
    let again = market.client.install(&installation).await;
    assert_eq!(error(&again.expect(409).json()).0, "conflict", "an id never comes back");
    let provision = market.client.provision(&installation, "lantern", "basic").await;
    assert_eq!(error(&provision.expect(409).json()).0, "conflict");
    market.client.uninstall(&market.platform.new_installation()).await.expect(204);
}

#[tokio::test]
async fn uninstalling_after_a_paid_plan_waits_for_final_invoices() {
    let market = market().await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "premium").await["id"].as_str().unwrap().to_owned();
    market.client.update(&installation, &id, "basic").await.expect(200);
    market.client.deprovision(&installation, &id).await.expect(204);
    assert_eq!(market.client.uninstall(&installation).await.expect(200).json(), json!({ "finalized": false }));
    market.client.installation(&installation).await.expect(200);
    let addon = AddonId::new("vercel", INTEGRATION);
    let account = market.ledger.store().account(&addon, &installation.id().into()).await.unwrap().expect("an account");
    assert!(account.credentials.is_some(), "final invoices need the token");
}

#[tokio::test]
async fn without_cascade_the_resources_are_kept() {
    let market = market().await;
    let installation = market.installed().await;
    let id = market.provisioned(&installation, "basic").await["id"].as_str().unwrap().to_owned();
    let uninstall = || market.client.uninstall(&installation).set("cascadeResourceDeletion", false);
    assert_eq!(uninstall().await.expect(200).json(), json!({ "finalized": false }));
    assert!(market.vendor.deprovisions().is_empty());
    market.client.deprovision(&installation, &id).await.expect(204);
    assert_eq!(uninstall().body("").await.expect(200).json(), json!({ "finalized": true }));
}

#[tokio::test]
async fn plans_of_installations_are_assigned_and_changed() {
    let scope = json!({ "scope": "installation" });
    let team = Plan::new("p-1", "team", "For teams").with_metadata("vercel", scope.clone());
    let pro =
        Plan::new("p-2", "pro", "Professional").with_price(Price::monthly(900, "USD")).with_metadata("vercel", scope);
    let service = Service::new("s-1", "lantern", "Lanterns").with_plan(team).with_plan(pro);
    let platform = Platform::new(INTEGRATION, CLIENT_SECRET);
    let serving = platform.serve().await.unwrap();
    let vercel = Vercel::new(INTEGRATION, CLIENT_SECRET, Catalog::new([service]).unwrap()).unwrap();
    let (folder, vendor) = (Folder::new(), Vendor::default());
    let url = format!("sqlite://{}", folder.0.join("ledger.db").display());
    Ledger::migrate(&url).await.unwrap();
    let ledger = Ledger::open(&url).await.unwrap();
    let addon = Addon::new(vercel.with_issuer(serving.url()).unwrap(), ledger.wrap(vendor.clone()));
    let server = Server::start(axum::Router::new().nest("/vercel", maitre::vercel(addon))).await;
    let client = Client::new(&server.url("/vercel"), &platform);
    let installation = platform.new_installation();
    let plan = |body: serde_json::Value| body["billingPlan"]["id"].as_str().map(str::to_owned);
    assert_eq!(plan(client.install(&installation).await.expect(200).json()).as_deref(), Some("team"));
    let changed = client.update_installation(&installation, "pro").await.expect(200).json();
    assert_eq!(
        (changed["billingPlan"]["scope"].as_str(), plan(changed.clone()).as_deref()),
        (Some("installation"), Some("pro"))
    );
    assert_eq!(
        plan(client.install(&installation).await.expect(200).json()).as_deref(),
        Some("pro"),
        "the plan is kept"
    );
    let unknown = client.update_installation(&installation, "gold").await;
    assert_eq!(error(&unknown.expect(400).json()), ("validation_error".to_owned(), vec!["billingPlanId".to_owned()]));
    let plans = client.installation_plans(&installation).await.expect(200).json();
    assert_eq!(plans["plans"].as_array().map(Vec::len), Some(2));
    assert_eq!(client.uninstall(&installation).await.expect(200).json(), json!({ "finalized": false }), "pro costs");
}

#[tokio::test]
async fn the_status_201_of_the_example_is_a_setting() {
    let market = market_with(|vercel| vercel.with_created_status(true)).await;
    let installation = market.platform.new_installation();
    market.client.install(&installation).await.expect(201);
    market.client.provision(&installation, "lantern", "basic").await.expect(201);
}
