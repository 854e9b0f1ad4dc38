//! The example at Vercel, as a separate process, with Vercel's keys and API on loopback.

use maitre_testkit::vercel::{Platform, PlatformServer, Vercel};
use serde_json::{Value, json};

use crate::ledger::support::until;
use crate::saas::Saas;
use crate::support::Folder;

/// Returns the status of the product's API for a customer.
async fn counters(saas: &Saas, token: &str) -> u16 {
    let request = reqwest::Client::new().get(format!("{}/counters", saas.origin));
    request.bearer_auth(token).send().await.unwrap().status().as_u16()
}

fn token(body: &Value) -> String {
    let secrets = body["secrets"].as_array().expect("secrets");
    let token = secrets.iter().find(|secret| secret["name"] == "TALLY_TOKEN").expect("a token");
    token["value"].as_str().expect("text").to_owned()
}

/// The example, and Vercel's side.
struct Market {
    platform: Platform,
    vercel: Vercel,
    saas: Saas,
    _serving: PlatformServer,
    _folder: Folder,
}

async fn start(settings: &[(&str, &str)]) -> Market {
    let platform = Platform::new("oac_tally", "development-only-client-secret");
    let serving = platform.serve().await.unwrap();
    let folder = Folder::new();
    let mut command = Saas::command(&folder.0);
    command
        .env("VERCEL_INTEGRATION_ID", "oac_tally")
        .env("VERCEL_ISSUER", serving.url())
        .env("VERCEL_JWKS_URL", serving.jwks_url())
        .env("VERCEL_API", serving.url())
        .envs(settings.iter().copied());
    let saas = Saas::start_by(command);
    let vercel = Vercel::new(&format!("{}/vercel", saas.origin), &platform);
    Market { platform, vercel, saas, _serving: serving, _folder: folder }
}

#[tokio::test]
async fn a_resource_is_sold_rotated_opened_and_removed() {
    let Market { platform, vercel, saas, .. } = &start(&[]).await;
    let installation = platform.new_installation();

    vercel.install(&installation).await.expect(204);
    let provision = || vercel.provision(&installation, "tally", "basic").header("idempotency-key", "k-1");
    let body = provision().await.expect(200).json();
    assert_eq!(provision().await.expect(200).json(), body);
    let (id, first) = (body["id"].as_str().unwrap(), token(&body));
    assert_eq!(counters(saas, &first).await, 200);
    let changed = vercel.update(&installation, id, "premium").await.expect(200).json();
    assert_eq!(changed["billingPlan"]["cost"], "$9.00/month");

    let rotated = vercel.rotate(&installation, id, 1.0).await.expect(200).json();
    let second = token(&rotated);
    assert_ne!(first, second);
    assert_eq!((counters(saas, &first).await, counters(saas, &second).await), (200, 200), "both for an hour");
    let last = token(&vercel.rotate(&installation, id, 0.0).await.expect(200).json());
    assert_eq!((counters(saas, &second).await, counters(saas, &last).await), (401, 200));
    assert_eq!(token(&provision().await.expect(200).json()), last, "a replay has the current secrets");

    let opened = vercel.single_sign_on("/sso", &installation, &[("resource_id", id)]).await;
    assert_eq!((opened.status(), opened.location()), (303, Some("/dashboard")));
    vercel.deprovision(&installation, id).await.expect(204);
    assert_eq!(counters(saas, &last).await, 401);
    let refused = vercel.uninstall(&installation).bearer(&platform.user_token(&installation).unsigned()).await;
    refused.expect(403);
    assert_eq!(vercel.uninstall(&installation).await.expect(200).json(), json!({ "finalized": false }));
    let removed = json!({ "id": "evt_1", "type": "integration-configuration.removed", "createdAt": 1,
                          "payload": { "configuration": { "id": installation.id() } } });
    vercel.webhook("/webhooks", &removed).await.expect(200);
}

#[tokio::test]
async fn a_slow_resource_is_pending_until_vercel_is_notified() {
    let market = start(&[("SET_UP_SECONDS", "1")]).await;
    let Market { platform, vercel, saas, .. } = &market;
    let installation = platform.new_installation();
    vercel.install(&installation).await.expect(204);
    let body = vercel.provision(&installation, "tally", "basic").await.expect(200).json();
    let id = body["id"].as_str().unwrap();
    platform.add_resource(&installation, id, "tally");
    assert_eq!((&body["status"], counters(saas, &token(&body)).await), (&json!("pending"), 200));
    let is_ready = || async { platform.resource(&installation, id).is_some_and(|known| known["status"] == "ready") };
    until("it is ready", is_ready).await;
    assert_eq!(vercel.resource(&installation, id).await.expect(200).json()["status"], "ready");
    assert_eq!(platform.problems(), []);
}

#[tokio::test]
async fn the_console_credits_transfers_and_invoices_work() {
    let market = start(&[]).await;
    let Market { platform, vercel, .. } = &market;
    let (installation, target) = (platform.new_installation(), platform.new_installation());
    vercel.install(&installation).await.expect(204);
    vercel.install(&target).await.expect(204);
    let body = vercel.provision(&installation, "tally", "premium").await.expect(200).json();
    let id = body["id"].as_str().unwrap();

    let counted = vercel.repl(&installation, id, "count visits").await.expect(200).json();
    assert_eq!(counted[0]["children"][0]["text"], "visits: 1");
    vercel.repl(&installation, id, "count visits").set("readOnly", true).await.expect(400);
    let listed = vercel.repl(&installation, id, "list").await.expect(200).json();
    assert_eq!(listed[0]["rows"][0][1]["text"], "1");
    let invoice = platform.add_invoice(&installation, &[("credits", None, "10.00")], "paid");
    let credited = vercel.purchase(&installation, &invoice).await.expect(200).json();
    assert_eq!(credited["balances"][0]["currencyValueInCents"], 1000);

    until("usage is reported", || async { !platform.usage(&installation).is_empty() }).await;
    assert_eq!(platform.usage(&installation)[0]["billing"]["items"][0]["total"], "9.00");
    let claim = vercel.request_transfer(&installation, &[id]).await.expect(200).json();
    vercel.accept_transfer(&target, claim["providerClaimId"].as_str().unwrap()).await.expect(204);
    vercel.resource(&target, id).await.expect(200);
    platform.begin_finalizing(&installation);
    vercel.uninstall(&installation).await.expect(200);
    let is_billed = || async { platform.invoices(&installation).iter().any(|invoice| invoice.total_cents() == 900) };
    until("the last invoice is sent", is_billed).await;
    assert_eq!(platform.problems(), []);
}
