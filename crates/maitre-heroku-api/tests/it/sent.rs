//! Requests as received by Heroku.

use std::pin::Pin;

use maitre_heroku_api::{Api, ConfigVar, Entity, Error, Level, Token, WebhookSettings};
use serde_json::{Value, json};

use crate::support::{UUID, add_on, api, builder, client, header, requests, server_with, status};

type Done = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A call, the expected request, and a response that the call must accept.
struct Case {
    sends: (&'static str, String),
    body: Value,
    answer: Value,
    make: Box<dyn FnOnce(Api) -> Done>,
}

fn call<F>(method: &'static str, path: &str, answer: Value, make: impl FnOnce(Api) -> F + 'static) -> Case
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let make = Box::new(|api| Box::pin(make(api)) as Done);
    Case { sends: (method, path.to_owned()), body: Value::Null, answer, make }
}

impl Case {
    fn with_body(mut self, body: Value) -> Self {
        self.body = body;
        self
    }
}

/// A call that returns one object.
macro_rules! one {
    ($method:literal $path:expr, $answer:expr, |$api:ident| $call:expr) => {
        call($method, $path, $answer, |$api: Api| async move { $call.await.map(drop) })
    };
}

/// A call that returns a list, of which the response is the only element.
macro_rules! many {
    ($method:literal $path:expr, $answer:expr, |$api:ident| $call:expr) => {
        call($method, $path, json!([$answer]), |$api: Api| async move {
            assert_eq!($call.all().await?.len(), 1);
            Ok(())
        })
    };
}

fn app() -> Value {
    json!({
        "id": "a1", "name": "shop", "owner": { "id": "u1", "email": "ada@example.org" }, "team": null, "space": null,
        "region": { "id": "r1", "name": "us" }, "generation": { "id": "g1", "name": "cedar" },
    })
}

fn attachment() -> Value {
    json!({
        "id": "t1", "name": "LANTERN", "namespace": null, "app": { "id": "a1", "name": "shop" }, "web_url": null,
        "addon": { "id": UUID, "name": "lantern-curved-4821", "app": { "id": "a1", "name": "shop" } },
        "log_input_url": "https://token:t.1@1.us.logplex.io/logs",
    })
}

fn person() -> Value {
    json!({ "id": "u1", "email": "ada@example.org", "federated": false })
}

fn collaborator() -> Value {
    json!({ "id": "c1", "app": { "id": "a1" }, "user": person(), "role": "member", "permissions": [{ "name": "view" }] })
}

fn member() -> Value {
    json!({ "id": "m1", "email": "ada@example.org", "role": "admin", "user": person(), "two_factor_authentication": true })
}

fn domain() -> Value {
    json!({ "id": "d1", "hostname": "www.shop.example", "kind": "custom", "cname": null, "status": "none" })
}

fn drain() -> Value {
    json!({ "id": "l1", "token": "d.1", "url": "https://logs.example/1", "addon": { "id": UUID }, "app": null })
}

fn pipeline() -> Value {
    json!({ "id": "p1", "name": "shop" })
}

fn coupling() -> Value {
    json!({ "id": "k1", "app": { "id": "a1" }, "pipeline": { "id": "p1" }, "stage": "staging" })
}

fn webhook() -> Value {
    json!({ "id": "w1", "include": ["api:addon"], "level": "sync", "url": "https://lantern.example/hooks" })
}

fn delivery() -> Value {
    json!({
        "id": "y1", "event": { "id": "e1", "include": "api:addon" }, "webhook": { "id": "w1", "level": "sync" },
        "status": "retrying", "num_attempts": 2, "next_attempt_at": "2026-03-04T05:06:07Z",
        "last_attempt": { "id": "z1", "code": 500, "error_class": null, "status": "failed" },
    })
}

fn event() -> Value {
    json!({ "id": "e1", "include": "api:addon", "payload": { "id": "e1", "action": "update", "resource": "addon" } })
}

fn settings() -> WebhookSettings {
    WebhookSettings::new([Entity::AddOn, Entity::SniEndpoint], "https://lantern.example/hooks")
        .with_secret("ours")
        .with_authorization("Bearer ours")
}

fn quieter_settings() -> WebhookSettings {
    WebhookSettings::default().with_level(Level::Notify).without_authorization()
}

fn changes() -> [ConfigVar; 2] {
    [ConfigVar::set("LANTERN_URL", "https://lantern.example"), ConfigVar::unset("LANTERN_OLD")]
}

fn add_ons() -> Vec<Case> {
    let addon = |rest: &str| format!("/addons/{UUID}{rest}");
    let vars = json!([{ "name": "LANTERN_URL", "value": "https://lantern.example" }]);
    vec![
        one!("GET" & addon(""), add_on(), |api| api.add_on(UUID)),
        many!("GET" "/addons", add_on(), |api| api.add_ons()),
        many!("GET" "/apps/shop/addons", add_on(), |api| api.add_ons_of_app("shop")),
        many!("GET" "/users/u1/addons", add_on(), |api| api.add_ons_of_user("u1")),
        one!("GET" & addon("/config"), vars.clone(), |api| api.config(UUID)),
        one!("PATCH" & addon("/config"), vars, |api| api.set_config(UUID, &changes())).with_body(json!({ "config": [
            { "name": "LANTERN_URL", "value": "https://lantern.example" }, { "name": "LANTERN_OLD", "value": null },
        ] })),
        one!("POST" & addon("/actions/provision"), add_on(), |api| api.mark_provisioned(UUID)),
        one!("POST" & addon("/actions/deprovision"), add_on(), |api| api.mark_deprovisioned(UUID)),
        many!("GET" & addon("/addon-attachments"), attachment(), |api| api.attachments(UUID)),
        many!("GET" "/apps/shop/addon-attachments", attachment(), |api| api.attachments_of_app("shop")),
        one!("GET" "/account/rate-limits", json!({ "remaining": 4500 }), |api| api.rate_limits()),
    ]
}

fn apps() -> Vec<Case> {
    let drains = format!("/addons/{UUID}/log-drains");
    let moved = format!("{drains}/l1");
    vec![
        one!("GET" "/apps/shop", app(), |api| api.app("shop")),
        many!("GET" "/apps", app(), |api| api.apps()),
        many!("GET" "/users/u1/apps", app(), |api| api.apps_of_user("u1")),
        many!("POST" "/filters/apps", app(), |api| api.apps_by_id(&["a1", "a2"]))
            .with_body(json!({ "in": { "id": ["a1", "a2"] } })),
        many!("GET" "/apps/shop/collaborators", collaborator(), |api| api.collaborators("shop")),
        many!("GET" "/teams/makers/members", member(), |api| api.team_members("makers")),
        many!("GET" "/apps/shop/domains", domain(), |api| api.domains("shop")),
        many!("GET" &drains, drain(), |api| api.log_drains(UUID)),
        one!("PUT" &moved, drain(), |api| api.update_log_drain(UUID, "l1", &"https://logs.example/1".into()))
            .with_body(json!({ "url": "https://logs.example/1" })),
        one!("POST" "/apps/shop/log-drains", drain(), |api| api.add_log_drain("shop", &"https://logs.example/1".into()))
            .with_body(json!({ "url": "https://logs.example/1" })),
        one!("DELETE" "/apps/shop/log-drains/l1", drain(), |api| api.remove_log_drain("shop", "l1")),
        many!("GET" "/pipelines", pipeline(), |api| api.pipelines()),
        one!("GET" "/pipelines/p1", pipeline(), |api| api.pipeline("p1")),
        many!("GET" "/pipelines/p1/pipeline-couplings", coupling(), |api| api.couplings_of_pipeline("p1")),
        many!("GET" "/pipeline-couplings", coupling(), |api| api.couplings()),
        one!("GET" "/pipeline-couplings/k1", coupling(), |api| api.coupling("k1")),
        one!("GET" "/apps/shop/pipeline-couplings", coupling(), |api| api.coupling_of_app("shop")),
    ]
}

fn webhooks() -> Vec<Case> {
    let addon = |rest: &str| format!("/addons/{UUID}{rest}");
    vec![
        one!("POST" & addon("/webhooks"), webhook(), |api| api.subscribe(UUID, &settings())).with_body(json!({
            "include": ["api:addon", "api:sni-endpoint"], "url": "https://lantern.example/hooks", "level": "sync",
            "secret": "ours", "authorization": "Bearer ours",
        })),
        many!("GET" & addon("/webhooks"), webhook(), |api| api.webhooks(UUID)),
        one!("GET" & addon("/webhooks/w1"), webhook(), |api| api.webhook(UUID, "w1")),
        one!("PATCH" & addon("/webhooks/w1"), webhook(), |api| api.update_webhook(UUID, "w1", &quieter_settings()))
            .with_body(json!({ "level": "notify", "authorization": null })),
        one!("DELETE" & addon("/webhooks/w1"), webhook(), |api| api.unsubscribe(UUID, "w1")),
        many!("GET" & addon("/webhook-deliveries"), delivery(), |api| api.webhook_deliveries(UUID)),
        one!("GET" & addon("/webhook-deliveries/y1"), delivery(), |api| api.webhook_delivery(UUID, "y1")),
        many!("GET" & addon("/webhook-events"), event(), |api| api.webhook_events(UUID)),
        one!("GET" & addon("/webhook-events/e1"), event(), |api| api.webhook_event(UUID, "e1")),
    ]
}

#[tokio::test]
async fn every_call_sends_the_documented_request() {
    for Case { sends: (method, path), body, answer, make } in add_ons().into_iter().chain(apps()).chain(webhooks()) {
        let name = format!("{method} {path}");
        let server = server_with([status(200).set_body_json(answer)]).await;
        make(api(&server)).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));

        let sent = requests(&server).await;
        assert_eq!(sent.len(), 1, "{name}");
        let sent = &sent[0];
        assert_eq!((sent.method.as_str(), sent.url.path(), sent.url.query()), (method, path.as_str(), None), "{name}");
        assert_eq!(header(sent, "accept"), Some("application/vnd.heroku+json; version=3"), "{name}");
        assert_eq!(header(sent, "authorization"), Some("Bearer HRKU-t0ken"), "{name}");
        assert_eq!(header(sent, "user-agent"), Some("lantern/2.1"), "{name}");
        let content_type = (!body.is_null()).then_some("application/json");
        assert_eq!(header(sent, "content-type"), content_type, "{name}");
        assert_eq!(serde_json::from_slice::<Value>(&sent.body).unwrap_or_default(), body, "{name}");
        assert_eq!(sent.body.is_empty(), body.is_null(), "{name}");
    }
}

#[tokio::test]
async fn an_id_stays_one_segment_of_the_path() {
    let server = server_with([status(200).set_body_json(add_on())]).await;
    api(&server).add_on("a/../b?c#d é").await.expect("an answer");
    assert_eq!(requests(&server).await[0].url.path(), "/addons/a%2F..%2Fb%3Fc%23d%20%C3%A9");

    for id in ["", ".", ".."] {
        let error = api(&server).config(id).await.expect_err("no path");
        let expected = "cannot send the request: a segment of the path is empty or consists of dots";
        assert!(error.to_string().ends_with(expected), "{error}");
    }
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn requests_to_other_endpoints_can_be_built() {
    let server = server_with([status(202).set_body_json(json!([{ "version": 7 }])).insert_header("x-more", "1")]).await;
    let api = api(&server);
    let call = api.get("/apps/shop/releases?x=1").header("range", "version ..; max=1, order=desc").send();
    let answer = call.await.expect("an answer");
    assert_eq!((answer.status(), answer.header("X-More")), (202, Some("1")));
    assert_eq!(answer.json::<Vec<Value>>().expect("a list")[0]["version"], 7);
    api.post("/apps/shop/dynos/web.1/actions/stop").send().await.expect("an answer");
    let update = api.patch("/apps/shop/formation").json(&json!({ "updates": [] }));
    update.header("accept", "text/plain").send().await.expect("an answer");

    let sent = requests(&server).await;
    assert_eq!((sent[0].url.path(), sent[0].url.query()), ("/apps/shop/releases", Some("x=1")));
    assert_eq!(header(&sent[0], "range"), Some("version ..; max=1, order=desc"));
    assert_eq!(header(&sent[0], "accept"), Some("application/vnd.heroku+json; version=3"));
    assert_eq!((sent[1].method.as_str(), sent[1].body.is_empty()), ("POST", true));
    assert_eq!(header(&sent[2], "accept"), Some("text/plain"));
    assert!(sent.iter().all(|request| header(request, "authorization") == Some("Bearer HRKU-t0ken")));

    let (parent, bad_header) = (api.get("/apps/../users"), api.get("/apps").header("a b", "c"));
    for wrong in [api.get("apps"), api.get("@example.org/"), parent, bad_header] {
        assert!(wrong.send().await.expect_err("nothing sent").status().is_none());
    }
    assert_eq!(requests(&server).await.len(), 3);
}

#[tokio::test]
async fn a_base_url_may_have_a_path() {
    let server = server_with([status(200).set_body_json(json!([]))]).await;
    let client = builder(&format!("{}/heroku/", server.uri())).build().expect("a client");
    client.api(&Token::new("t")).apps().all().await.expect("a list");
    client.installs("lantern", &"p4ss".into()).all().await.expect("a list");
    let paths: Vec<_> = requests(&server).await.iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!(paths, ["/heroku/apps", "/heroku/api/v3/apps"]);
}

#[tokio::test]
async fn the_list_of_installs_and_replacement_grants_use_the_password() {
    let install =
        json!({ "resource": { "uuid": UUID, "name": "lantern-curved-4821" }, "plan": "basic", "provider_id": "7" });
    let grant = json!({ "code": "c0de", "type": "authorization_code", "expires_at": "2026-03-03T21:11:07-0800" });
    let server = server_with([status(200).set_body_json(json!([install])), status(200).set_body_json(grant)]).await;
    let client = client(&server);
    let installs = client.installs("lantern", &"s3cr3t-example".into()).all().await.expect("a list");
    assert_eq!((installs[0].uuid.as_str(), installs[0].plan.as_deref()), (UUID, Some("basic")));
    let grant = client.replacement_grant("lantern", &"s3cr3t-example".into(), UUID).await.expect("a grant");
    assert_eq!(grant.expires_at, time::macros::datetime!(2026-03-04 5:11:07 UTC));

    let sent = requests(&server).await;
    let paths: Vec<_> = sent.iter().map(|request| (request.method.as_str(), request.url.path())).collect();
    let backfill = format!("/vendor/resources/{UUID}/oauth-grant");
    assert_eq!(paths, [("GET", "/api/v3/apps"), ("GET", backfill.as_str())]);
    for request in &sent {
        assert_eq!(header(request, "authorization"), Some("Basic bGFudGVybjpzM2NyM3QtZXhhbXBsZQ=="));
        assert_eq!(header(request, "accept"), Some("application/json"));
        assert_eq!(header(request, "user-agent"), Some("lantern/2.1"));
    }
}
