//! cloudControl and Opperator: a vendor of both, which is right but for one fault, and the checks that see it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use maitre_conformance::{Check, Level, Marketplace, Suite};
use maitre_testkit::sign;
use serde_json::{Value, json};

const PASSWORD: &str = "s3cr3t-example-of-32-characters!";
const SALT: &str = "rock salt of thirty-two letters!";
const SECRET: &str = "melon-9-melon-9-melon-9";

/// What is wrong, and the check that is there for it; the same fault may be one in both contracts.
pub(crate) const MUTANTS: &[(&str, &str)] = &[
    ("locks everyone out", "cloudcontrol.auth.right-credentials"),
    ("lets everyone in", "cloudcontrol.auth.wrong-password"),
    ("crashes without credentials", "cloudcontrol.auth.no-credentials"),
    ("sends no challenge", "cloudcontrol.auth.challenge"),
    ("fails on provision", "cloudcontrol.provision.succeeds"),
    ("answers 200 to a provision", "cloudcontrol.provision.status"),
    ("answers no id", "cloudcontrol.provision.id"),
    ("answers one id for all", "cloudcontrol.provision.ids-differ"),
    ("sends no content type", "cloudcontrol.provision.content-type"),
    ("sets an unlisted config var", "cloudcontrol.provision.config"),
    ("sets a number", "cloudcontrol.provision.config"),
    ("needs options", "cloudcontrol.provision.no-options"),
    ("minds a slash", "cloudcontrol.provision.slash-at-the-end"),
    ("refuses a plan with 400", "cloudcontrol.provision.refusal"),
    ("crashes on bad JSON", "cloudcontrol.provision.no-json"),
    ("fails on plan change", "cloudcontrol.plan-change.succeeds"),
    ("refuses the same plan", "cloudcontrol.plan-change.same-plan"),
    ("changes what is unknown", "cloudcontrol.plan-change.unknown"),
    ("fails on deprovision", "cloudcontrol.deprovision.succeeds"),
    ("crashes on what is unknown", "cloudcontrol.deprovision.unknown"),
    ("forgets that it was removed", "cloudcontrol.deprovision.removed"),
    ("lets nobody sign on", "cloudcontrol.sso.lets-in"),
    ("looks at no token", "cloudcontrol.sso.wrong"),
    ("takes any token that it knows", "cloudcontrol.sso.other-resource"),
    ("looks at no clock", "cloudcontrol.sso.six-minutes-old"),
    ("lets the future in", "cloudcontrol.sso.an-hour-ahead"),
    ("takes a form twice", "cloudcontrol.sso.one-use"),
    ("knows no GET", "cloudcontrol.sso.by-get"),
    ("locks everyone out", "opperator.auth.right-secret"),
    ("lets everyone in", "opperator.auth.wrong-secret"),
    ("crashes without credentials", "opperator.auth.no-secret"),
    ("takes an empty secret", "opperator.auth.empty-secret"),
    ("fails on provision", "opperator.provision.succeeds"),
    ("answers no id", "opperator.provision.id"),
    ("answers one id for all", "opperator.provision.ids-differ"),
    ("sets a number", "opperator.provision.config"),
    ("crashes without features", "opperator.provision.no-features"),
    ("sends no content type", "opperator.provision.content-type"),
    ("crashes on bad JSON", "opperator.provision.no-json"),
    ("fails on plan change", "opperator.plan-change.succeeds"),
    ("changes what is unknown", "opperator.plan-change.unknown"),
    ("minds a warning", "opperator.plan-warning.taken"),
    ("fails on deprovision", "opperator.deprovision.succeeds"),
    ("crashes on what is unknown", "opperator.deprovision.unknown"),
];

#[derive(Clone)]
struct Elder {
    fault: &'static str,
    stock: Arc<Mutex<Stock>>,
}

#[derive(Default)]
struct Stock {
    /// Ids, with the plan of those that nobody removed.
    plans: HashMap<String, Option<String>>,
    used: Vec<String>,
}

impl Elder {
    fn with(fault: &'static str) -> Self {
        Self { fault, stock: Arc::default() }
    }

    fn is(&self, fault: &str) -> bool {
        self.fault == fault
    }

    fn alive(&self) -> usize {
        self.stock.lock().unwrap().plans.values().flatten().count()
    }

    fn suite(&self, marketplace: Marketplace) -> Suite {
        let app = Router::new().fallback(serve).with_state(self.clone());
        if marketplace == Marketplace::Opperator {
            return Suite::opperator(SECRET).plans(["basic", "premium"]).service(app);
        }
        let manifest = json!({ "id": "papaya", "api": { "password": PASSWORD, "sso_salt": SALT,
            "config_vars": ["PAPAYA_URL"], "test": { "base_url": "http://localhost:5000/cloudcontrol/resources",
            "sso_url": "http://localhost:5000/cloudcontrol/sso" } } });
        Suite::cloudcontrol(&manifest.to_string()).unwrap().plans(["basic", "premium"]).service(app)
    }

    fn refuses(&self, headers: &HeaderMap, opperator: bool) -> Option<Response> {
        let header = if opperator { "x-opperator-shared-secret" } else { "authorization" };
        let sent = headers.get(header).and_then(|value| value.to_str().ok());
        let right = if opperator { SECRET.to_owned() } else { sign::basic("papaya", PASSWORD) };
        match (self.fault, sent) {
            ("crashes without credentials", None) => return Some(told(500, "nil")),
            ("lets everyone in", _) | ("takes an empty secret", Some("")) => return None,
            ("locks everyone out", _) => {}
            (_, Some(sent)) if sent == right => return None,
            _ => {}
        }
        let mut refusal = told(401, "These are not the credentials.");
        if !self.is("sends no challenge") {
            refusal.headers_mut().insert("www-authenticate", "Basic realm=\"Add-on API\"".parse().unwrap());
        }
        Some(refusal)
    }
}

fn told(status: u16, message: &str) -> Response {
    answer(status, &json!({ "message": message }))
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

async fn serve(State(elder): State<Elder>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let opperator = path.starts_with("/opperator");
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let body = axum::body::to_bytes(body, 65_536).await.unwrap();
    if path == "/cloudcontrol/sso" {
        return sign_on(&elder, &form_urlencoded::parse(&body).into_owned().collect());
    }
    if path == "/dashboard" {
        return "Your papaya".into_response();
    }
    let rest = path.strip_prefix("/cloudcontrol/resources").or_else(|| path.strip_prefix("/opperator/"));
    let rest = rest.unwrap_or_default().trim_start_matches("instances");
    if parts.method == Method::GET && !opperator && !elder.is("knows no GET") {
        let mut form: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        form.insert("id".to_owned(), rest.trim_matches('/').to_owned());
        return sign_on(&elder, &form);
    }
    if let Some(refusal) = elder.refuses(&parts.headers, opperator) {
        return refusal;
    }
    let id = rest.trim_matches('/');
    match parts.method {
        Method::POST if rest == "/" && elder.is("minds a slash") => told(404, "There is nothing here."),
        Method::POST if id.is_empty() => provision(&elder, &body, opperator),
        Method::PUT if id.starts_with("plan_warning") && elder.is("minds a warning") => told(404, "What is this?"),
        Method::PUT if id.starts_with("plan_warning") => answer(200, &json!({})),
        Method::PUT => plan_change(&elder, id, &body, opperator),
        Method::DELETE => deprovision(&elder, id, opperator),
        _ => told(405, "This cannot be done."),
    }
}

fn plan_of(order: &Value, opperator: bool) -> String {
    let plan = if opperator { &order["features"]["plan"] } else { &order["plan"] };
    plan.as_str().unwrap_or("basic").to_owned()
}

fn provision(elder: &Elder, body: &[u8], opperator: bool) -> Response {
    let Ok(order) = serde_json::from_slice::<Value>(body) else {
        return if elder.is("crashes on bad JSON") { told(500, "oops") } else { told(400, "This is no JSON.") };
    };
    let whole = if opperator { order["features"].is_object() } else { order["cloudcontrol_id"].is_string() };
    if !whole {
        return told(400, "This is no order.");
    }
    let plan = plan_of(&order, opperator);
    match elder.fault {
        "fails on provision" => return told(500, "oops"),
        "needs options" if order["options"].is_null() => return told(400, "There are no options."),
        "crashes without features" if order["features"] == json!({}) => return told(500, "oops"),
        "refuses a plan with 400" if plan == "no-such-plan" => return told(400, "There is no such plan."),
        _ if plan == "no-such-plan" => return told(422, "There is no such plan."),
        _ => {}
    }
    let mut stock = elder.stock.lock().unwrap();
    let id = if elder.is("answers one id for all") { "7".to_owned() } else { format!("p{}", stock.plans.len()) };
    stock.plans.insert(id.clone(), Some(plan));
    drop(stock);
    let mut reply = json!({ "id": id, "config": { "PAPAYA_URL": "https://papaya.example/7" }, "message": "Ready." });
    match elder.fault {
        "answers no id" => drop(reply.as_object_mut().unwrap().remove("id")),
        "sets a number" => reply["config"]["PAPAYA_URL"] = 7.into(),
        "sets an unlisted config var" => reply["config"]["PAPAYA_COLOUR"] = "green".into(),
        _ => {}
    }
    let mut response = answer(if elder.is("answers 200 to a provision") { 200 } else { 201 }, &reply);
    if elder.is("sends no content type") {
        response.headers_mut().remove("content-type");
    }
    response
}

fn plan_change(elder: &Elder, id: &str, body: &[u8], opperator: bool) -> Response {
    let change = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let mut stock = elder.stock.lock().unwrap();
    match (elder.fault, stock.plans.get_mut(id)) {
        ("fails on plan change", _) => told(500, "oops"),
        ("changes what is unknown", None) | ("forgets that it was removed", Some(None)) => answer(200, &json!({})),
        ("refuses the same plan", Some(Some(plan))) if *plan == plan_of(&change, opperator) => told(409, "It has it."),
        (_, Some(Some(plan))) => {
            *plan = plan_of(&change, opperator);
            answer(200, &json!({}))
        }
        _ => told(404, "There is no such papaya."),
    }
}

fn deprovision(elder: &Elder, id: &str, opperator: bool) -> Response {
    let mut stock = elder.stock.lock().unwrap();
    match (elder.fault, stock.plans.get_mut(id)) {
        ("fails on deprovision", _) | ("crashes on what is unknown", None) => told(500, "oops"),
        (_, Some(plan @ Some(_))) => {
            *plan = None;
            if opperator { answer(200, &json!({})) } else { StatusCode::NO_CONTENT.into_response() }
        }
        _ => told(404, "There is no such papaya."),
    }
}

fn sign_on(elder: &Elder, form: &HashMap<String, String>) -> Response {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let right = |id: &str| sign::token(id, SALT, field("timestamp"));
    let age = time::OffsetDateTime::now_utc().unix_timestamp() - field("timestamp").parse().unwrap_or(0);
    let mut stock = elder.stock.lock().unwrap();
    let known = elder.is("takes any token that it knows");
    let any = || stock.plans.keys().any(|id| field("token") == right(id));
    let good = field("token") == right(field("id")) || elder.is("looks at no token") || (known && any());
    let in_time = (-60..=300).contains(&age)
        || (age > 300 && elder.is("looks at no clock"))
        || (age < -60 && elder.is("lets the future in"));
    let used = stock.used.iter().any(|used| used == field("token")) && !elder.is("takes a form twice");
    if !good || !in_time || used || elder.is("lets nobody sign on") {
        return (StatusCode::FORBIDDEN, "Forbidden").into_response();
    }
    stock.used.push(field("token").to_owned());
    (StatusCode::FOUND, [("location", "/dashboard")]).into_response()
}

fn checks() -> impl Iterator<Item = (Marketplace, &'static Check)> {
    let elders = [Marketplace::CloudControl, Marketplace::Opperator];
    elders.into_iter().flat_map(|marketplace| marketplace.checks().map(move |check| (marketplace, check)))
}

#[tokio::test]
async fn a_good_vendor_fails_nothing() {
    for marketplace in [Marketplace::CloudControl, Marketplace::Opperator] {
        let elder = Elder::with("nothing");
        let report = elder.suite(marketplace).run().await.unwrap();
        assert!(report.failed(Level::Info).next().is_none(), "{report}");
        assert_eq!(report.figures().skipped, 0, "{report}");
        assert_eq!(elder.alive(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_seen_by_the_check_that_is_there_for_it() {
    let runs = stream::iter(MUTANTS).map(|(fault, id)| async move {
        let (marketplace, _) = checks().find(|(_, check)| check.id == *id).unwrap_or_else(|| panic!("no check {id}"));
        let report = Elder::with(fault).suite(marketplace).only([*id]).run().await.unwrap();
        let seen = report.failed(Level::Info).any(|finding| finding.check.id == *id);
        if seen { None } else { Some(format!("a vendor that {fault} passes {id}\n{report}")) }
    });
    let missed: Vec<Option<String>> = runs.buffer_unordered(8).collect().await;
    assert_eq!(missed.into_iter().flatten().collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn every_check_has_a_fault_that_it_is_there_for() {
    let without: Vec<_> = checks()
        .filter(|(_, check)| !MUTANTS.iter().any(|(_, id)| *id == check.id))
        .map(|(_, check)| check.id)
        .collect();
    assert_eq!(without, Vec::<&str>::new());
}
