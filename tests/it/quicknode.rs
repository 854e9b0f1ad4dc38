//! QuickNode's API: ids in the body, accounts with endpoints, a JWT, and the steps of QuickNode's test tool.

use axum::Router;
use axum::routing::post;
use maitre::{
    Addon, Capability, Failure, PlanChanged, Provisioned, QuickNode, QuickNodeCall, QuickNodeEndpoint,
    QuickNodeRequest, Updated, quicknode,
};
use maitre_testkit::sign;
use serde_json::{Value, json};

use crate::support::{Raw, RawApp, RawReply, RecordedApp, Server, Vendor, request};

const NOW: i64 = 1_700_000_000;
const SECRET: &str = "pomelo-jwt-secret";
const SUCCESS: &str = r#"{"status":"success"}"#;
const URLS: &str = r#"{"status":"success","dashboard-url":"https://pomelo.example/quicknode/sso","access-url":null}"#;
/// As the portal sends it, without `exp`.
const LIVE: &str = "eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImp0aSI6IjE3MDAwMDAwMDAvYWIxMmNkMzQiLCJuYW1lIjoiQWRhIEV4YW1wbGUiLCJlbWFpbCI6ImFkYUBjdXN0b21lci5leGFtcGxlIiwib3JnYW5pemF0aW9uX25hbWUiOiJFeGFtcGxlIE9yZyIsInF1aWNrbm9kZV9pZCI6InFuLWFjYy0xIn0.zU0wXuvoPjb3dQIN7_EUQ5Pm9IoX6G2yGZbT5xIU5n0";
/// As the test tool sends it, with `exp`.
const TOOL: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJlbWFpbCI6ImFkYUBjdXN0b21lci5leGFtcGxlIiwiZXhwIjoxNzAwMDAwNjAwLCJpYXQiOjE3MDAwMDAwMDAsIm5hbWUiOiJBZGEgRXhhbXBsZSIsIm9yZ2FuaXphdGlvbl9uYW1lIjoiRXhhbXBsZSBPcmciLCJxdWlja25vZGVfaWQiOiJxbi1hY2MtMSJ9.fff8vPimG89pJlAJk3qZyDu5WGnusg0NB_lQhd2iypA";
const ALG_NONE: &str = "eyJhbGciOiJub25lIn0.eyJpYXQiOjE3MDAwMDAwMDAsInF1aWNrbm9kZV9pZCI6InFuLWFjYy0xIn0.";

fn pomelo() -> QuickNode {
    let quicknode = QuickNode::new("pomelo", RawApp::PASSWORD, SECRET).expect("credentials");
    quicknode.with_dashboard_url("https://pomelo.example/quicknode/sso").expect("a URL")
}

async fn app() -> RawApp {
    RawApp::start(pomelo(), "/quicknode", NOW, maitre::quicknode).await
}

async fn recorded() -> RecordedApp {
    RecordedApp::start(pomelo(), "/quicknode", NOW, maitre::quicknode).await
}

fn endpoint(id: &str, plan: &str) -> Value {
    json!({
        "quicknode-id": "qn-acc-1", "endpoint-id": id, "chain": "ethereum", "network": "mainnet", "plan": plan,
        "wss-url": "wss://x.quiknode.pro/tok/", "http-url": "https://x.quiknode.pro/tok/",
        "referers": ["https://app.example"], "contract_addresses": [], "add-on-slug": "pomelo", "add-on-id": "33",
    })
}

async fn provision(app: &RawApp, body: &Value) -> RawReply {
    app.send("POST /quicknode/provision", &body.to_string()).await
}

async fn update(app: &RawApp, body: &Value) -> RawReply {
    app.send("PUT /quicknode/update", &body.to_string()).await
}

async fn deactivate(app: &RawApp, id: &str, fields: Value) -> RawReply {
    let mut body = json!({ "quicknode-id": "qn-acc-1", "endpoint-id": id, "chain": "ethereum", "network": "mainnet" });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    app.send("DELETE /quicknode/deactivate_endpoint", &body.to_string()).await
}

async fn deprovision(app: &RawApp, account: &str) -> RawReply {
    let body = json!({ "quicknode-id": account, "add-on-id": "33", "add-on-slug": "pomelo" });
    app.send("DELETE /quicknode/deprovision", &body.to_string()).await
}

async fn sign_on(server: &Server, jwt: &str) -> RawReply {
    Raw::exchange(server, request([format!("GET /quicknode/sso?jwt={jwt}").as_str()], "")).await
}

fn answer(reply: &RawReply) -> (u16, String) {
    (reply.status(), reply.text())
}

fn error(reply: &RawReply) -> u16 {
    let body: Value = serde_json::from_slice(reply.body()).unwrap();
    assert!(body["status"] == "error" && body["message"].is_string(), "{body}");
    reply.status()
}

#[tokio::test]
async fn the_documented_provision_is_200_and_its_endpoint_is_the_resource() {
    let app = app().await;
    let (body, authorization) = (endpoint("ep-1", "basic").to_string(), sign::basic("pomelo", RawApp::PASSWORD));
    let authorization = format!("authorization: {authorization}");
    let lines = ["POST /quicknode/provision", &authorization, "X-QN-TESTING: true"];
    assert_eq!(answer(&Raw::exchange(&app.server, request(lines, body)).await), (200, URLS.to_owned()));
    let received = app.vendor.provisions().remove(0);
    assert_eq!((received.resource.as_str(), received.plan.as_str()), ("qn-acc-1/ep-1", "basic"));
    assert_eq!(received.account.as_ref().map(AsRef::as_ref), Some("qn-acc-1"));
    let details = received.view::<QuickNodeRequest>().unwrap();
    assert_eq!((details.endpoint.as_str(), details.add_on_id.as_deref(), details.test), ("ep-1", Some("33"), true));
    let endpoint: QuickNodeEndpoint = received.parameters.read().unwrap();
    assert_eq!(endpoint.http_url.unwrap().expose(), "https://x.quiknode.pro/tok/");
    assert_eq!(endpoint.referers.as_deref(), Some(&["https://app.example".to_owned()][..]));
}

#[tokio::test]
async fn optional_fields_may_be_null_absent_or_numbers() {
    let app = app().await;
    let mut body = endpoint("ep-1", "basic");
    for (name, value) in [("referers", Value::Null), ("contract_addresses", Value::Null), ("add-on-id", json!(33))] {
        body[name] = value;
    }
    body["surprise"] = json!({ "a": [1] });
    assert_eq!(provision(&app, &body).await.status(), 200);
    let details = app.vendor.provisions()[0].view::<QuickNodeRequest>().unwrap();
    assert_eq!((details.add_on_id.as_deref(), details.test), (Some("33"), false));
    assert!(details.extra.get("surprise").is_some());

    let minimal = json!({ "quicknode-id": "qn-acc-1", "endpoint-id": "ep-2", "plan": "basic" });
    assert_eq!(provision(&app, &minimal).await.status(), 200);
    for (name, value) in
        [("quicknode-id", json!(1)), ("endpoint-id", json!("")), ("http-url", json!(1)), ("plan", Value::Null)]
    {
        let mut body = endpoint("ep-3", "basic");
        body[name] = value;
        let reply = provision(&app, &body).await;
        assert_eq!(error(&reply), 400, "{name}");
        assert!(reply.text().contains(name), "{}", reply.text());
    }
}

/// The calls of `qn-marketplace-cli pudd`: each route without credentials and with empty values, then with them.
#[tokio::test]
async fn the_steps_of_the_test_tool_pass_also_with_a_slash_after_the_base_url() {
    for base in ["/quicknode", "/quicknode/"] {
        let RecordedApp { app, .. } = &recorded().await;
        let empty = json!({
            "quicknode-id": "", "endpoint-id": "", "chain": "", "network": "", "plan": "", "wss-url": "", "http-url": "",
            "referers": null, "contract_addresses": null, "deactivate-at": 0, "add-on-id": "", "add-on-slug": "",
        });
        let (sold, mut removed) = (endpoint("ep-1", "basic"), endpoint("ep-1", "basic"));
        removed["deactivate-at"] = json!(NOW);
        for (line, body, times) in [
            ("POST /provision", &sold, 2),
            ("PUT /update", &sold, 1),
            ("DELETE /deactivate_endpoint", &removed, 1),
            ("DELETE /deprovision", &removed, 1),
        ] {
            let line = line.replacen(" /", &format!(" {base}/"), 1);
            let probe = [line.as_str(), "content-type: application/json", "X-QN-TESTING: true"];
            let reply = Raw::exchange(&app.server, request(probe, format!("{empty}\n"))).await;
            assert_eq!(reply.status(), 401, "{line}");
            assert!(reply.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Basic")));
            for _ in 0..times {
                let reply = app.send(&line, &format!("{body}\n")).await;
                assert_eq!(reply.status(), 200, "{line}: {}", reply.text());
                assert_eq!(reply.header("content-type"), Some("application/json"));
            }
        }
        assert_eq!((app.vendor.provisions().len(), app.vendor.deprovisions().len()), (1, 1));
    }
}

#[tokio::test]
async fn a_caller_without_the_credentials_learns_nothing() {
    let app = app().await;
    for authorization in [
        sign::basic("pomelo", "wrong"),
        sign::basic("wrong", RawApp::PASSWORD),
        sign::basic("pomelo", RawApp::PASSWORD).replace("Basic ", ""),
    ] {
        let authorization = format!("authorization: {authorization}");
        for line in ["POST /quicknode/provision", "DELETE /quicknode/deprovision"] {
            let reply = Raw::exchange(&app.server, request([line, &authorization], "not JSON")).await;
            assert_eq!(error(&reply), 401);
        }
    }
    assert_eq!(error(&app.send("DELETE /quicknode/deactivate_endpoint", "").await), 400);
    assert_eq!(error(&app.send("DELETE /quicknode/deprovision", "").await), 400);
    assert_eq!(app.vendor.calls(), 0);
}

#[tokio::test]
async fn a_repeated_provision_returns_the_same_and_stores_what_is_new() {
    let RecordedApp { app, .. } = &recorded().await;
    app.vendor.declare(Capability::Update);
    app.vendor.on_update(async |_| Ok(Updated::new()));
    let sold = endpoint("ep-1", "basic");
    let (first, second) = tokio::join!(provision(app, &sold), provision(app, &sold));
    assert_eq!((answer(&first), answer(&second)), ((200, URLS.to_owned()), (200, URLS.to_owned())));
    assert_eq!(app.vendor.provisions().len(), 1);

    let mut moved = sold.clone();
    moved["http-url"] = json!("https://y.quiknode.pro/new/");
    assert_eq!(answer(&provision(app, &moved).await), (200, URLS.to_owned()));
    let updates = app.vendor.updates();
    assert_eq!((updates.len(), updates[0].parameters.text("http-url")), (1, Some("https://y.quiknode.pro/new/")));

    moved["plan"] = json!("premium");
    for _ in 0..2 {
        assert_eq!(provision(app, &moved).await.status(), 200);
    }
    let calls = (app.vendor.plan_changes().len(), app.vendor.provisions().len(), app.vendor.updates().len());
    assert_eq!(calls, (1, 1, 1));
}

#[tokio::test]
async fn a_refused_plan_is_422_and_another_one_can_follow() {
    let RecordedApp { app, .. } = &recorded().await;
    assert_eq!(error(&provision(app, &endpoint("ep-1", "gold")).await), 422);
    assert_eq!(provision(app, &endpoint("ep-1", "basic")).await.status(), 200);
    assert_eq!(error(&update(app, &endpoint("ep-1", "gold")).await), 422);
    app.vendor.on_plan_change(async |_| Err(Failure::from_display("no database")));
    assert_eq!(error(&update(app, &endpoint("ep-1", "premium")).await), 503);
}

#[tokio::test]
async fn a_plan_is_the_plan_of_all_endpoints_of_the_account() {
    let RecordedApp { app, .. } = &recorded().await;
    let mut other_account = endpoint("ep-9", "basic");
    other_account["quicknode-id"] = json!("qn-acc-2");
    for body in [endpoint("ep-1", "basic"), endpoint("ep-2", "basic"), other_account] {
        assert_eq!(provision(app, &body).await.status(), 200);
    }
    let changed = |app: &RawApp| -> Vec<String> {
        app.vendor.plan_changes().iter().map(|request| format!("{} {}", request.resource, request.plan)).collect()
    };
    assert_eq!(answer(&update(app, &endpoint("ep-2", "premium")).await), (200, URLS.to_owned()));
    assert_eq!(changed(app), ["qn-acc-1/ep-2 premium", "qn-acc-1/ep-1 premium"]);
    assert_eq!(provision(app, &endpoint("ep-3", "basic")).await.status(), 200);
    assert_eq!(changed(app)[2..], ["qn-acc-1/ep-1 basic", "qn-acc-1/ep-2 basic"]);
}

#[tokio::test]
async fn an_update_calls_the_listener_only_for_what_changes() {
    let RecordedApp { app, .. } = &recorded().await;
    assert_eq!(error(&update(app, &endpoint("ep-1", "basic")).await), 404);
    provision(app, &endpoint("ep-1", "basic")).await;
    assert_eq!(answer(&update(app, &endpoint("ep-1", "basic")).await), (200, URLS.to_owned()));
    let mut moved = endpoint("ep-1", "basic");
    moved["wss-url"] = json!("wss://y.quiknode.pro/new/");
    assert_eq!(update(app, &moved).await.status(), 200, "a listener without the capability");
    let calls = (app.vendor.provisions().len(), app.vendor.plan_changes().len(), app.vendor.updates().len());
    assert_eq!(calls, (1, 1, 0), "the plan change is that of the unknown endpoint");
    app.vendor.declare(Capability::Update);
    app.vendor.on_update(async |_| Ok(Updated::new()));
    for _ in 0..2 {
        assert_eq!(update(app, &moved).await.status(), 200);
    }
    assert_eq!((app.vendor.updates().len(), app.vendor.plan_changes().len()), (1, 1), "only of the unknown endpoint");
}

#[tokio::test]
async fn the_access_url_is_a_config_var() {
    let quicknode = pomelo().with_access_url_var("LANTERN_URL");
    let RecordedApp { app, .. } = &RecordedApp::start(quicknode, "/quicknode", NOW, maitre::quicknode).await;
    app.vendor
        .on_provision(async |request| Ok(Provisioned::new(request.resource).with_config("LANTERN_URL", "https://a")));
    let access_url =
        |reply: RawReply| serde_json::from_slice::<Value>(reply.body()).unwrap().get("access-url").cloned();
    for _ in 0..2 {
        assert_eq!(access_url(provision(app, &endpoint("ep-1", "basic")).await), Some(json!("https://a")));
    }
    app.vendor.on_plan_change(async |_| Ok(PlanChanged::new()));
    assert_eq!(access_url(update(app, &endpoint("ep-1", "premium")).await), None, "unchanged");
    app.vendor.on_plan_change(async |_| Ok(PlanChanged::new().with_config("LANTERN_URL", "https://b")));
    assert_eq!(access_url(update(app, &endpoint("ep-1", "basic")).await), Some(json!("https://b")));
}

#[tokio::test]
async fn an_endpoint_is_deactivated_and_the_account_stays() {
    let RecordedApp { app, .. } = &recorded().await;
    for id in ["ep-1", "ep-2", "ep-3"] {
        provision(app, &endpoint(id, "basic")).await;
    }
    for (id, fields) in [
        ("ep-1", json!({ "deactivate-at": NOW })),
        ("ep-1", json!({ "deactivate-at": NOW.to_string() })),
        ("ep-2", json!({ "deactivate-at": (NOW - 5).to_string() })),
        ("ep-3", json!({})),
        ("ep-3", json!({ "deactivate-at": null })),
    ] {
        assert_eq!(answer(&deactivate(app, id, fields).await), (200, SUCCESS.to_owned()), "{id}");
    }
    assert_eq!(app.vendor.deprovisions().len(), 3);
    assert_eq!(error(&deactivate(app, "ep-4", json!({})).await), 404);
    assert_eq!(error(&update(app, &endpoint("ep-1", "premium")).await), 404);
    assert_eq!(answer(&deprovision(app, "qn-acc-1").await), (200, SUCCESS.to_owned()), "without endpoints");
}

#[tokio::test]
async fn an_endpoint_serves_until_the_time_of_its_deactivation() {
    let RecordedApp { app, ledger, .. } = &recorded().await;
    for id in ["ep-1", "ep-2", "ep-3"] {
        provision(app, &endpoint(id, "basic")).await;
    }
    let addon = Addon::new(pomelo(), ledger.wrap(app.vendor.clone()));
    let worker = ledger.worker([addon]).poll_interval(std::time::Duration::from_millis(10));
    for (id, time) in [("ep-1", json!(NOW + 1)), ("ep-2", json!((NOW + 1).to_string())), ("ep-3", json!(NOW + 86_400))]
    {
        assert_eq!(answer(&deactivate(app, id, json!({ "deactivate-at": time })).await), (200, SUCCESS.to_owned()));
        assert_eq!(update(app, &endpoint(id, "premium")).await.status(), 200, "it serves until then");
    }
    assert_eq!(app.vendor.deprovisions().len(), 0);
    assert_eq!(provision(app, &endpoint("ep-2", "premium")).await.status(), 200, "the customer has changed their mind");
    worker
        .run(async {
            while app.vendor.deprovisions().is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        })
        .await;
    assert_eq!(error(&update(app, &endpoint("ep-1", "basic")).await), 404);
    for id in ["ep-2", "ep-3"] {
        assert_eq!(update(app, &endpoint(id, "basic")).await.status(), 200);
    }
    assert_eq!(answer(&deprovision(app, "qn-acc-1").await), (200, SUCCESS.to_owned()), "ends all immediately");
    assert_eq!(app.vendor.deprovisions().len(), 3);
}

#[tokio::test]
async fn an_account_is_deprovisioned_with_its_endpoints_and_may_come_back() {
    let RecordedApp { app, .. } = &recorded().await;
    app.vendor.on_provision(async |request| Ok(Provisioned::new(request.resource)));
    for id in ["ep-1", "ep-2"] {
        provision(app, &endpoint(id, "basic")).await;
    }
    for _ in 0..2 {
        assert_eq!(answer(&deprovision(app, "qn-acc-1").await), (200, SUCCESS.to_owned()));
    }
    let removed = app.vendor.deprovisions();
    let mut keys: Vec<_> = removed.iter().map(|request| request.resource.to_string()).collect();
    keys.sort();
    assert_eq!(keys, ["qn-acc-1/ep-1", "qn-acc-1/ep-2"]);
    assert_eq!(error(&deprovision(app, "qn-acc-2").await), 404);
    assert_eq!(error(&update(app, &endpoint("ep-1", "basic")).await), 404);

    assert_eq!(answer(&provision(app, &endpoint("ep-1", "basic")).await), (200, URLS.to_owned()));
    let provisions = app.vendor.provisions();
    assert_eq!(provisions.len(), 3);
    assert!(provisions[2].context.fence > removed[0].context.fence, "the vendor can tell it from a late one");
    assert_eq!(deprovision(app, "qn-acc-1").await.status(), 200);
    assert_eq!(app.vendor.deprovisions().len(), 3);
}

#[tokio::test]
async fn the_published_tokens_sign_in_once_with_a_page_that_needs_no_cookie() {
    let RecordedApp { app, .. } = &recorded().await;
    provision(app, &endpoint("ep-1", "basic")).await;
    for jwt in [LIVE, TOOL] {
        let reply = sign_on(&app.server, jwt).await;
        assert_eq!((reply.status(), reply.header("referrer-policy")), (200, Some("no-referrer")));
        assert!(reply.header("set-cookie").is_some());
        assert!(reply.text().contains(r#"content="0; url=/dashboard""#) && !reply.text().contains(&jwt[..9]));
        assert_eq!(sign_on(&app.server, jwt).await.status(), 401, "used before");
    }
    let received = app.vendor.sign_ons();
    assert_eq!((received.len(), received[0].resource.as_str()), (2, "qn-acc-1/ep-1"));
    assert_eq!(received[0].identity.email(), Some("ada@customer.example"));

    let another = sign::jwt(r#"{"alg":"HS256"}"#, r#"{"iat":1700000000,"jti":"b","quicknode_id":"qn-acc-1"}"#, SECRET);
    assert_eq!(sign_on(&app.server, &another).await.status(), 200, "another token of the same second");
}

#[tokio::test]
async fn a_token_that_is_forged_expired_or_of_no_account_is_401() {
    let RecordedApp { app, .. } = &recorded().await;
    provision(app, &endpoint("ep-1", "basic")).await;
    let signed = |claims: Value, secret| sign::jwt(r#"{"alg":"HS256"}"#, &claims.to_string(), secret);
    for jwt in [
        ALG_NONE.to_owned(),
        LIVE.replace("zU0w", "zU0x"),
        signed(json!({ "quicknode_id": "qn-acc-1", "iat": NOW }), "another"),
        signed(json!({ "quicknode_id": "qn-acc-1", "iat": NOW - 601 }), SECRET),
        signed(json!({ "quicknode_id": "qn-acc-1", "iat": NOW + 61 }), SECRET),
        signed(json!({ "quicknode_id": "qn-acc-1", "iat": NOW - 700, "exp": NOW - 61 }), SECRET),
        signed(json!({ "quicknode_id": "qn-acc-2", "iat": NOW }), SECRET),
        signed(json!({ "iat": NOW }), SECRET),
        sign::jwt(r#"{"alg":"HS512"}"#, &json!({ "quicknode_id": "qn-acc-1", "iat": NOW }).to_string(), SECRET),
    ] {
        assert_eq!(sign_on(&app.server, &jwt).await.status(), 401, "{jwt}");
    }
    let head = Raw::exchange(&app.server, request([format!("HEAD /quicknode/sso?jwt={LIVE}").as_str()], "")).await;
    assert_eq!(head.status(), 401, "a prefetch does not use a token");
    deprovision(app, "qn-acc-1").await;
    assert_eq!(sign_on(&app.server, LIVE).await.status(), 401, "deprovisioned");
}

#[tokio::test]
async fn without_a_ledger_the_listener_receives_the_account_of_a_sign_on() {
    let app = app().await;
    app.vendor.on_single_sign_on(async |_| Ok(maitre::SignedOn::redirect("/dashboard").with_session("widget", "w")));
    assert_eq!(sign_on(&app.server, LIVE).await.status(), 200);
    assert_eq!(app.vendor.sign_ons()[0].resource.as_str(), "qn-acc-1");
}

#[tokio::test]
async fn the_health_check_reads_the_database() {
    let RecordedApp { app, ledger, .. } = recorded().await;
    let health = || Raw::exchange(&app.server, request(["GET /quicknode/health"], ""));
    assert_eq!(answer(&health().await), (200, r#"{"status":"ok"}"#.to_owned()));
    ledger.close().await;
    assert_eq!(error(&health().await), 503);
}

#[tokio::test]
async fn a_forwarded_call_is_admitted_for_an_active_endpoint() {
    let (vendor, folder) = (Vendor::default(), crate::support::Folder::new());
    let url = format!("sqlite://{}", folder.0.join("ledger.db").display());
    maitre::Ledger::migrate(&url).await.unwrap();
    let addon = Addon::new(pomelo(), maitre::Ledger::open(&url).await.unwrap().wrap(vendor));
    let calls = addon.clone();
    let rpc = post(async move |call: QuickNodeCall| -> Result<String, quicknode::RpcError> {
        Ok(format!("{} {}", call.chain, call.active_endpoint(&calls).await?.plan))
    });
    let server = Server::start(Router::new().route("/rpc", rpc).nest("/quicknode", maitre::quicknode(addon))).await;
    let authorization = format!("authorization: {}", sign::basic("pomelo", RawApp::PASSWORD));
    let lines = ["POST /quicknode/provision", &authorization];
    Raw::exchange(&server, request(lines, endpoint("ep-1", "basic").to_string())).await;

    let call = async |endpoint: &str, chain: &str| {
        let endpoint = format!("X-INSTANCE-ID: {endpoint}");
        let lines = ["POST /rpc", "X-QUICKNODE-ID: qn-acc-1", &endpoint, "X-QN-NETWORK: mainnet", chain];
        Raw::exchange(&server, request(lines, r#"{"method":"a","params":[],"id":1}"#)).await
    };
    assert_eq!(answer(&call("ep-1", "X-QN-CHAIN: ethereum").await), (200, "ethereum basic".to_owned()));
    let unknown = call("ep-2", "X-QN-CHAIN: ethereum").await;
    let body: Value = serde_json::from_slice(unknown.body()).unwrap();
    assert_eq!((unknown.status(), &body["error"]["code"]), (404, &json!(-32001)));
    assert_eq!(call("ep-1", "X-OTHER: a").await.status(), 400);
}
