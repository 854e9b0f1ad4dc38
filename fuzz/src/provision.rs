//! Bodies of provisions and plan changes at three marketplaces, sent through the routers.
//!
//! The listener is called exactly if the answer is a success, and receives what the body says. Every other answer is a
//! client error with a sentence.

use std::sync::{LazyLock, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maitre_axum_cloudcontrol::CloudControl;
use maitre_axum_heroku::Heroku;
use maitre_axum_opperator::Opperator;
use maitre_core::{
    Addon, Deprovision, Deprovisioned, Listener, PlanChange, PlanChanged, Provision, Provisioned, Result, SignOn,
    SignedOn,
};
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

const PASSWORD: &str = "s3cr3t-example";

static CALLS: Mutex<Vec<Call>> = Mutex::new(Vec::new());

/// A call of the listener.
struct Call {
    resource: String,
    plan: String,
    details: Map<String, Value>,
}

/// Listener that records its calls.
struct Recorder;

impl Listener for Recorder {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let Provision { resource, plan, details, .. } = request;
        CALLS.lock().expect("one thread").push(Call {
            resource: resource.to_string(),
            plan,
            details: details.into_map(),
        });
        Ok(Provisioned::new("7"))
    }

    async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
        let PlanChange { resource, plan, details, .. } = request;
        CALLS.lock().expect("one thread").push(Call {
            resource: resource.to_string(),
            plan,
            details: details.into_map(),
        });
        Ok(PlanChanged::new())
    }

    async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> {
        panic!("no input deprovisions a resource")
    }

    async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> {
        panic!("no input signs a user on")
    }
}

static ROUTERS: LazyLock<[Router; 3]> = LazyLock::new(|| {
    let heroku = Heroku::new("lantern", PASSWORD, "salt").expect("credentials");
    let cloudcontrol = CloudControl::new("lantern", PASSWORD, "salt").expect("credentials");
    let plan = |features: &Map<String, Value>| (!features.contains_key("none")).then(|| "basic".to_owned());
    let opperator = Opperator::new("lantern", PASSWORD, plan).expect("a secret");
    [
        maitre_axum_heroku::router(Addon::new(heroku, Recorder)),
        maitre_axum_cloudcontrol::router(Addon::new(cloudcontrol, Recorder)),
        maitre_axum_opperator::router(Addon::new(opperator, Recorder)),
    ]
});

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_time().build().expect("a runtime"));

static AUTHORIZATION: LazyLock<String> =
    LazyLock::new(|| format!("Basic {}", BASE64_STANDARD.encode(format!("lantern:{PASSWORD}"))));

/// Input: a letter for the marketplace, one for the operation and the content type, and the body.
pub fn check(data: &[u8]) {
    let [marketplace, kind, body @ ..] = data else { return };
    let marketplace = match marketplace {
        b'h' => 0,
        b'c' => 1,
        b'o' => 2,
        _ => return,
    };
    let (method, form) = match kind {
        b'p' => (Method::POST, false),
        b'c' => (Method::PUT, false),
        b'P' => (Method::POST, true),
        b'C' => (Method::PUT, true),
        _ => return,
    };
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let calls = send(marketplace, &method, form, body);
    if let (Some(call), false) = (&calls, form && marketplace == 2) {
        assert!(std::str::from_utf8(body).is_ok(), "a body that is not UTF-8 is accepted");
        // without `json`, a number in an ignored field is too large for a value
        if let Some(json) = &json {
            check_call(call, marketplace, &method, json);
        }
    }
    if let (0, Some(json)) = (marketplace, &json)
        && is_documented(json, &method)
    {
        // written again, without duplicate keys
        assert!(send(0, &method, form, json.to_string().as_bytes()).is_some(), "a documented body is rejected");
    }
}

/// Sends a body. Returns the call of the listener if the answer is a success.
fn send(marketplace: usize, method: &Method, form: bool, body: &[u8]) -> Option<Call> {
    let collection = if marketplace == 2 { "/instances" } else { "/resources" };
    let path = if method == Method::PUT { format!("{collection}/7") } else { collection.to_owned() };
    let content_type = if form { "application/x-www-form-urlencoded" } else { "application/json" };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, &*AUTHORIZATION)
        .header("x-opperator-shared-secret", PASSWORD)
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body.to_vec()))
        .expect("a request");
    CALLS.lock().expect("one thread").clear();
    let (status, reply) = RUNTIME.block_on(async {
        let reply = ROUTERS[marketplace].clone().oneshot(request).await.expect("a router never fails");
        (reply.status(), to_bytes(reply.into_body(), usize::MAX).await.expect("a body"))
    });
    let mut calls = std::mem::take(&mut *CALLS.lock().expect("one thread"));
    let reply: Value = serde_json::from_slice(&reply).expect("every answer is JSON");
    if status.is_success() {
        assert_eq!(calls.len(), 1, "{status}");
        return calls.pop();
    }
    assert!(calls.is_empty(), "{status} after a call of the listener");
    let expected = [StatusCode::BAD_REQUEST, StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::UNPROCESSABLE_ENTITY];
    assert!(expected.contains(&status), "{status}: {reply}");
    let message = reply["message"].as_str().expect("an error has a message");
    assert!(message.ends_with('.') && !message.contains(char::is_control), "{message:?}");
    None
}

/// Compares what the listener received with the body.
fn check_call(call: &Call, marketplace: usize, method: &Method, json: &Value) {
    let fields = json.as_object().expect("only an object is accepted");
    let provision = method == Method::POST;
    let known: &[&str] = match (marketplace, provision) {
        (0, true) => &HEROKU,
        (0, false) => &["plan", "heroku_id"],
        (1, true) => &["plan", "cloudcontrol_id", "heroku_id", "callback_url", "options", "region", "logplex_token"],
        (1, false) => &["plan", "cloudcontrol_id", "heroku_id"],
        _ => &["features"],
    };
    if marketplace == 2 {
        assert_eq!(fields["features"], call.details["features"]);
    } else {
        assert_eq!(json["plan"], call.plan);
    }
    if !provision {
        assert_eq!(call.resource, "7", "the path names the resource");
    } else if marketplace == 0 {
        assert_eq!(json["uuid"].as_str().map(str::to_lowercase).as_deref(), Some(call.resource.as_str()));
    }
    let undocumented = |(name, _): &(&String, &Value)| !known.contains(&name.as_str());
    let received = call.details.iter().filter(undocumented);
    assert!(fields.iter().filter(undocumented).eq(received), "undocumented fields are passed on unchanged");
}

const HEROKU: [&str; 11] = [
    "uuid",
    "plan",
    "name",
    "region",
    "callback_url",
    "oauth_grant",
    "options",
    "log_input_url",
    "log_drain_token",
    "heroku_id",
    "logplex_token",
];

/// Returns whether Heroku's documentation allows the body. Long and unprintable text is not considered.
fn is_documented(json: &Value, method: &Method) -> bool {
    let written = json.to_string();
    if !json.is_object() || written.len() > 1_000 || written.contains("\\u") || written.contains(char::is_control) {
        return false;
    }
    let plain = |text: &str| {
        (1..=100).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
    };
    let text = |value: &Value| value.is_null() || value.as_str().is_some_and(plain);
    let has_plan = json["plan"].as_str().is_some_and(plain);
    if method == Method::PUT {
        return has_plan && text(&json["heroku_id"]);
    }
    let groups = json["uuid"].as_str().map(|uuid| uuid.split('-').map(str::len).collect::<Vec<_>>());
    let hex = json["uuid"].as_str().is_some_and(|uuid| uuid.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()));
    let grant = &json["oauth_grant"];
    let options = &json["options"];
    has_plan
        && hex
        && groups.as_deref() == Some(&[8, 4, 4, 4, 12])
        && (grant.is_null() || grant.is_object() && text(&grant["code"]) && text(&grant["type"]))
        && (options.is_null()
            || options.as_object().is_some_and(|all| all.iter().all(|(name, value)| plain(name) && text(value))))
        && HEROKU[2..].iter().filter(|name| !["oauth_grant", "options"].contains(name)).all(|name| text(&json[*name]))
}
