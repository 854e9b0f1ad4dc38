//! Vercel's API, key set and token endpoint.

use maitre_testkit::{
    platform::Fault,
    vercel::{Installation, Platform, PlatformServer},
};
use serde_json::{Value, json};

struct Vendor {
    platform: Platform,
    server: PlatformServer,
    installation: Installation,
}

impl Vendor {
    async fn new() -> Self {
        let platform = Platform::new("oac_lantern", "client secret");
        let server = platform.serve().await.expect("a server");
        let installation = platform.new_installation();
        platform.add_resource(&installation, "ltn_1", "lantern");
        Self { platform, server, installation }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let path = format!("/v1/installations/{}{path}", self.installation.id());
        self.send(method, &path, self.installation.access_token(), body).await
    }

    async fn send(&self, method: &str, path: &str, token: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.server.url());
        let mut request = reqwest::Client::new().request(method.parse().expect("a method"), url).bearer_auth(token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.expect("a response");
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }
}

fn invoice(external_id: &str, plan: &str) -> Value {
    json!({
        "externalId": external_id,
        "invoiceDate": "2026-04-01T00:00:00Z",
        "period": { "start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z" },
        "items": [{
            "resourceId": "ltn_1", "billingPlanId": plan, "name": "Basic", "price": "4.50", "quantity": 2, "units": "GB",
            "total": "9.00",
        }],
    })
}

#[tokio::test]
async fn the_key_set_is_counted_and_can_fail_and_rotate() {
    let vendor = Vendor::new().await;
    let discovery: Value = reqwest::get(format!("{}/.well-known/openid-configuration", vendor.server.url()))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        (&discovery["issuer"], &discovery["jwks_uri"]),
        (&json!(vendor.server.url()), &json!(vendor.server.jwks_url()))
    );

    vendor.platform.fail_jwks(Some(503));
    assert_eq!(reqwest::get(vendor.server.jwks_url()).await.unwrap().status(), 503);
    vendor.platform.fail_jwks(None);
    let old = vendor.platform.signing_key();
    let new = vendor.platform.rotate_key();
    vendor.platform.withdraw_key(old.kid());
    let keys: Value = reqwest::get(vendor.server.jwks_url()).await.unwrap().json().await.unwrap();
    assert_eq!(keys, json!({ "keys": [new.jwk()] }));
    assert_eq!((vendor.platform.discovery_fetches(), vendor.platform.jwks_fetches()), (1, 2));
}

#[tokio::test]
async fn a_code_is_exchanged_once_by_its_client() {
    let vendor = Vendor::new().await;
    let token = vendor.platform.id_token(&vendor.installation);
    let code = vendor.platform.new_code(&token);
    let request = |secret: &str| {
        json!({
            "code": code, "state": "s", "client_id": "oac_lantern", "client_secret": secret,
            "grant_type": "authorization_code",
        })
    };
    let exchange = |secret| vendor.send("POST", "/v1/integrations/sso/token", "", request(secret));
    assert_eq!(exchange("guessed").await.0, 403);
    let (status, reply) = exchange("client secret").await;
    assert_eq!((status, reply["id_token"].as_str()), (200, Some(token.sign().as_str())));
    assert_eq!(exchange("client secret").await.0, 403);
}

#[tokio::test]
async fn calls_need_the_token_of_a_live_installation() {
    let vendor = Vendor::new().await;
    let other = vendor.platform.new_installation();
    let path = format!("/v1/installations/{}/account", vendor.installation.id());
    assert_eq!(vendor.send("GET", &path, "guessed", Value::Null).await.0, 401);
    assert_eq!(vendor.send("GET", &path, other.access_token(), Value::Null).await.0, 403);
    assert_eq!(vendor.call("GET", "/account", Value::Null).await.0, 200);

    let (status, rotated) =
        vendor.call("POST", "/credentials/rotate", json!({ "client_secret": "client secret" })).await;
    let rotated = rotated["access_token"].as_str().unwrap();
    let revoke = json!({ "client_secret": "client secret", "token": vendor.installation.access_token() });
    assert_eq!((status, vendor.send("GET", &path, rotated, Value::Null).await.0), (200, 200));
    let revoke_path = format!("/v1/installations/{}/credentials/revoke", vendor.installation.id());
    assert_eq!(vendor.send("POST", &revoke_path, rotated, revoke).await.0, 200);
    assert_eq!(vendor.call("GET", "/account", Value::Null).await.0, 401);

    vendor.platform.remove(&vendor.installation);
    assert_eq!(vendor.send("GET", &path, rotated, Value::Null).await.0, 410);
}

#[tokio::test]
async fn secrets_and_fields_of_a_resource_are_recorded() {
    let vendor = Vendor::new().await;
    let secrets = |names: &[&str], partial: bool| {
        let secrets: Vec<_> = names.iter().map(|name| json!({ "name": name, "value": format!("{name} 1") })).collect();
        json!({ "secrets": secrets, "partial": partial })
    };
    assert_eq!(vendor.call("PUT", "/resources/ltn_1/secrets", secrets(&["A", "B"], false)).await.0, 201);
    assert_eq!(vendor.call("PUT", "/resources/ltn_1/secrets", secrets(&["C"], true)).await.0, 201);
    let names =
        || vendor.platform.secrets(&vendor.installation, "ltn_1").into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(), ["A", "B", "C"]);
    assert_eq!(vendor.call("PUT", "/resources/ltn_1/secrets", secrets(&["D"], false)).await.0, 201);
    assert_eq!(names(), ["D"]);

    let notice = json!({ "level": "warn", "title": "Almost full" });
    let change = json!({ "status": "ready", "notification": notice });
    assert_eq!(vendor.call("PATCH", "/resources/ltn_1", change).await, (200, json!({ "name": "ltn_1" })));
    assert_eq!(vendor.call("GET", "/resources/ltn_1", Value::Null).await.1["notification"], notice);
    assert_eq!(vendor.call("PATCH", "/resources/ltn_1", json!({ "notification": null })).await.0, 200);
    assert_eq!(vendor.platform.resource(&vendor.installation, "ltn_1").unwrap().get("notification"), None);
    assert_eq!(vendor.call("PATCH", "/resources/ltn_2", json!({ "status": "ready" })).await.0, 404);
    assert_eq!(vendor.platform.problems(), []);

    for (method, path, body, problem) in [
        ("PATCH", "/resources/ltn_1", json!({ "status": "done" }), "`status` has a value of another kind"),
        ("PUT", "/resources/ltn_1/secrets", json!({ "secrets": [{ "name": "A" }] }), "`secrets` `value` is missing"),
        ("POST", "/events", json!({ "type": "resource.updated" }), "`event` is missing"),
    ] {
        assert_eq!(vendor.call(method, path, body).await.0, 400);
        assert_eq!(vendor.platform.problems().pop().unwrap().problem.as_deref(), Some(problem));
    }
}

#[tokio::test]
async fn a_period_is_billed_once() {
    let vendor = Vendor::new().await;
    let (status, reply) = vendor.call("POST", "/billing/invoices", invoice("march", "basic")).await;
    assert_eq!(status, 200);
    let path = format!("/billing/invoices/{}", reply["invoiceId"].as_str().unwrap());
    assert_eq!(vendor.call("POST", "/billing/invoices", invoice("march", "premium")).await.0, 409, "the same id");
    assert_eq!(vendor.call("POST", "/billing/invoices", invoice("march-2", "basic")).await.0, 409, "the same plan");
    assert_eq!(vendor.call("POST", "/billing/invoices", invoice("march-2", "premium")).await.0, 200);
    assert_eq!(vendor.platform.invoices(&vendor.installation).len(), 2);

    let refund = |total: &str| json!({ "action": "refund", "reason": "outage", "total": total });
    let actions = format!("{path}/actions");
    assert_eq!(vendor.call("POST", &actions, refund("9.00")).await.0, 409, "not paid");
    let id = reply["invoiceId"].as_str().unwrap();
    vendor.platform.set_invoice_state(&vendor.installation, id, "paid");
    assert_eq!(vendor.call("POST", &actions, refund("9.01")).await.0, 400);
    assert_eq!(vendor.call("POST", &actions, refund("9.00")).await.0, 204);
    let (_, shown) = vendor.call("GET", &path, Value::Null).await;
    assert_eq!((&shown["state"], &shown["refundTotal"]), (&json!("refund_requested"), &json!("9.00")));
}

#[tokio::test]
async fn invoices_and_usage_follow_the_rules() {
    let vendor = Vendor::new().await;
    let mut wrong_total = invoice("march", "basic");
    wrong_total["items"][0]["total"] = json!("9.10");
    let mut outside = invoice("march", "basic");
    outside["invoiceDate"] = json!("2026-04-02T00:00:00Z");
    for body in [wrong_total, outside] {
        assert_eq!(vendor.call("POST", "/billing/invoices", body).await.0, 400);
    }
    let mut last = invoice("march", "basic");
    last["final"] = json!(true);
    assert_eq!(vendor.call("POST", "/billing/invoices", last.clone()).await.0, 409);
    vendor.platform.begin_finalizing(&vendor.installation);
    assert_eq!(vendor.call("POST", "/billing/invoices", last).await.0, 200);
    assert_eq!(vendor.call("POST", "/billing/finalize", Value::Null).await.0, 409, "the invoice is open");
    let id = vendor.platform.invoices(&vendor.installation)[0].id.clone();
    vendor.platform.set_invoice_state(&vendor.installation, &id, "paid");
    assert_eq!(vendor.call("POST", "/billing/finalize", Value::Null).await.0, 204);

    let vendor = Vendor::new().await;
    let old = json!({
        "timestamp": "2026-03-02T00:00:00Z", "eod": "2020-03-02T00:00:00Z", "billing": { "items": [] }, "usage": [],
        "period": { "start": "2020-03-01T00:00:00Z", "end": "2020-04-01T00:00:00Z" },
    });
    assert_eq!(vendor.call("POST", "/billing", old).await.0, 400);
}

#[tokio::test]
async fn a_fault_can_lose_the_answer_of_a_call() {
    let vendor = Vendor::new().await;
    vendor.platform.inject_fault(Fault::status(429).header("retry-after", "2"));
    assert_eq!(vendor.call("GET", "/account", Value::Null).await.1["error"]["code"], "rate_limited");
    vendor
        .platform
        .inject_fault(Fault::drop_connection().after_work().on("POST", "/v1/installations/*/billing/invoices"));
    let url = format!("{}/v1/installations/{}/billing/invoices", vendor.server.url(), vendor.installation.id());
    let request = reqwest::Client::new().post(url).bearer_auth(vendor.installation.access_token());
    assert!(request.json(&invoice("march", "basic")).send().await.is_err());
    assert_eq!(vendor.platform.invoices(&vendor.installation)[0].total_cents(), 900);
}
