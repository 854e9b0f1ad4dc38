//! A contract with everything that Heroku's does not have: a signed body, a caller, a version, ids in query and body,
//! events, codes, replays, and errors in a shape of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use axum::response::Response;
use maitre_axum::core::{
    Addon, Deprovision, Deprovisioned, Failure, FailureKind, Listener, Marketplace, Notice, NoticeKind, OperationKind,
    PlanChange, PlanChanged, Provision, Provisioned, Result, SignOn, SignedOn, Suspend,
};
use maitre_axum::{Call, Contract, ErrorReply, Event, Events, Handles, Head, ReadResult, Routes, json};
use serde_json::{Value, json};
use tower::ServiceExt;

struct Fair {
    slug: String,
}

impl Marketplace for Fair {
    fn name(&self) -> Cow<'static, str> {
        "fair".into()
    }

    fn slug(&self) -> &str {
        &self.slug
    }
}

/// The account in the header and, after the signature of the body was checked, the user in the body.
struct Visitor {
    account: String,
    user: Option<String>,
}

const TRACE: HeaderName = HeaderName::from_static("x-trace");

impl Contract for Fair {
    type Caller = Visitor;

    async fn authenticate(&self, head: &Head<Self>) -> Result<Visitor, ErrorReply> {
        assert!(head.body().bytes().is_empty(), "the body is not read before the head is authenticated");
        match head.header("x-account") {
            Some(account) => Ok(Visitor { account: account.to_owned(), user: None }),
            None => Err(ErrorReply::new(StatusCode::FORBIDDEN, "No account.").with_code("forbidden")),
        }
    }

    async fn authenticate_body(&self, call: &mut Call<Self>) -> Result<(), ErrorReply> {
        tokio::task::yield_now().await; // such as for a key that is fetched
        let sum: u32 = call.body().bytes().iter().map(|byte| u32::from(*byte)).sum();
        if call.header("x-sum") != Some(sum.to_string().as_str()) {
            return Err(ErrorReply::unauthorized("Sum"));
        }
        let body: Value = serde_json::from_slice(call.body().bytes()).unwrap_or_default();
        let account = call.caller().account.clone();
        call.set_caller(Visitor { account, user: body["user"].as_str().map(str::to_owned) });
        Ok(())
    }

    fn reads_body(&self, method: &Method) -> bool {
        *method != Method::GET
    }

    fn response_headers(&self, request: &HeaderMap) -> HeaderMap {
        request.get(&TRACE).map(|trace| (TRACE, trace.clone())).into_iter().collect()
    }

    fn status(&self, operation: OperationKind, failure: FailureKind) -> StatusCode {
        match (operation, failure) {
            (OperationKind::Provision, FailureKind::Conflict) => StatusCode::CONFLICT,
            (_, FailureKind::Unavailable) => StatusCode::BAD_GATEWAY,
            _ => StatusCode::IM_A_TEAPOT,
        }
    }

    fn error(&self, error: &ErrorReply) -> Response {
        json(error.status(), &json!({ "oh": error.code(), "text": error.message() }))
    }
}

fn check_version(call: &Call<Fair>) -> Result<(), ErrorReply> {
    let known = call.header("x-version") == Some("2");
    if known { Ok(()) } else { Err(ErrorReply::new(StatusCode::PRECONDITION_FAILED, "Version 2 is needed.")) }
}

impl Handles<Provision> for Fair {
    fn request(&self, call: &Call<Self>) -> Result<Provision, ErrorReply> {
        let body = call.json::<Order>()?;
        let Visitor { account, user } = call.caller();
        let mut request = Provision::new(call.addon_id(), body.fields.stall, body.fields.plan);
        request.name = Some(format!("{account}/{}", user.as_deref().unwrap_or("-")));
        Ok(request)
    }

    fn response(&self, call: &Call<Self>, reply: &Provisioned) -> Response {
        let account = call.caller().account.as_str();
        json(StatusCode::CREATED, &json!({ "id": reply.id().as_str(), "account": account }))
    }
}

impl Handles<Deprovision> for Fair {
    fn request(&self, call: &Call<Self>) -> Result<Deprovision, ErrorReply> {
        let stall = call.query_value("stall").ok_or_else(|| ErrorReply::bad_request("The query has no stall."))?;
        Ok(Deprovision::new(call.addon_id(), stall))
    }

    fn response(&self, _: &Call<Self>, _: &Deprovisioned) -> Response {
        json(StatusCode::OK, &json!({}))
    }
}

impl Events for Fair {
    const OPERATIONS: &'static [OperationKind] = &[OperationKind::Suspend, OperationKind::Notice];

    fn events(&self, call: &Call<Self>) -> Result<Vec<Event>, ErrorReply> {
        let stalls = call.json::<Stalls>()?.fields.stalls;
        let suspend = |stall: String| Event::Suspend(Suspend::new(call.addon_id(), stall));
        let notice = Notice::new(call.addon_id(), "all", NoticeKind::Other("closed".to_owned()));
        Ok(stalls.into_iter().map(suspend).chain([Event::Notice(notice)]).collect())
    }

    fn acknowledged(&self, _: &Call<Self>) -> Response {
        json(StatusCode::ACCEPTED, &json!({ "noted": true }))
    }
}

#[derive(serde::Deserialize)]
struct Order {
    stall: String,
    plan: String,
}

#[derive(serde::Deserialize)]
struct Stalls {
    stalls: Vec<String>,
}

/// Records calls as text. A stall named `refused`, `taken` or `broken` fails.
#[derive(Clone, Default)]
struct Lamps(Arc<Mutex<Vec<String>>>);

impl Lamps {
    fn record(&self, call: String) -> Result<()> {
        let failure = match call.rsplit_once(' ').map(|(_, stall)| stall) {
            Some("refused") => Some(Failure::refused("No.").with_code("closed")),
            Some("taken") => Some(Failure::conflict("Taken.")),
            Some("broken") => Some(Failure::from_display("no lamp oil")),
            _ => None,
        };
        self.0.lock().unwrap().push(call);
        failure.map_or(Ok(()), Err)
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Listener for Lamps {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        self.record(format!("provision {} {}", request.name.unwrap_or_default(), request.resource))?;
        Ok(Provisioned::new(request.resource))
    }
    async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> {
        Ok(PlanChanged::new())
    }
    async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
        self.record(format!("deprovision {}", request.resource)).map(|()| Deprovisioned::new())
    }
    async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> {
        Ok(SignedOn::redirect("/"))
    }
    async fn suspend(&self, request: Suspend) -> Result<()> {
        self.record(format!("suspend {}", request.resource))
    }
    async fn notice(&self, notice: Notice) -> Result<()> {
        self.record(format!("notice {}", notice.resource))
    }
}

async fn stall(call: Call<Fair>) -> ReadResult {
    match call.id("stall")? {
        "broken" => Err(Failure::from_display("no lamp oil").into()),
        "stuck" => std::future::pending().await,
        id => Ok(json(StatusCode::OK, &json!({ "stall": id, "account": call.caller().account.as_str() }))),
    }
}

fn router() -> (Router, Lamps) {
    let lamps = Lamps::default();
    let addon = Addon::new(Fair { slug: "lamps".to_owned() }, lamps.clone())
        .with_answer_budget(std::time::Duration::from_millis(50));
    let router = Routes::new(addon.with_body_limit(200))
        .before_body(check_version)
        .provision(Method::POST, "/orders")
        .deprovision(Method::DELETE, "/orders")
        .events(Method::POST, "/events")
        .read(Method::GET, "/stalls/{stall}", stall)
        .open(Method::GET, "/health", async |_| Ok(json(StatusCode::OK, &json!({ "well": true }))))
        .into_router();
    (router, lamps)
}

/// Sends a request that is authenticated, unless `remove` names one of its headers.
async fn send(router: &Router, method: Method, path: &str, body: &str, remove: &str) -> (u16, Value, HeaderMap) {
    let sum: u32 = body.bytes().map(u32::from).sum();
    let mut request = Request::builder().method(method).uri(path).header(TRACE, "t-1");
    for (name, value) in [("x-account", "acme"), ("x-version", "2"), ("x-sum", &sum.to_string())] {
        if name != remove {
            request = request.header(name, value);
        }
    }
    let response = router.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default(), parts.headers)
}

const ORDER: &str = r#"{"stall":"12","plan":"brass","user":"ada"}"#;

#[tokio::test]
async fn the_caller_of_head_and_body_reaches_request_and_response() {
    let (router, lamps) = router();
    let (status, body, headers) = send(&router, Method::POST, "/orders", ORDER, "").await;
    assert_eq!((status, body), (201, json!({ "id": "12", "account": "acme" })));
    assert_eq!((lamps.take(), &headers[TRACE]), (vec!["provision acme/ada 12".to_owned()], &"t-1".parse().unwrap()));
}

#[tokio::test]
async fn the_stages_of_a_request_are_checked_in_order_and_errors_have_the_shape_of_the_contract() {
    let (router, lamps) = router();
    let long = format!("{ORDER}{}", " ".repeat(200));
    for (body, removed, status, code) in [
        (long.as_str(), "x-account", 403, Some("forbidden")),
        (&long, "x-version", 412, None),
        (&long, "", 413, None),
        ("{}", "x-sum", 401, None),
        ("{}", "", 400, None),
    ] {
        let (answered, error, headers) = send(&router, Method::POST, "/orders", body, removed).await;
        assert_eq!((answered, error["oh"].as_str()), (status, code), "{removed}: {error}");
        assert!(error["text"].as_str().is_some_and(|text| text.ends_with('.')), "{error}");
        assert_eq!(
            (&headers[TRACE], headers.contains_key("www-authenticate")),
            (&"t-1".parse().unwrap(), status == 401)
        );
    }
    let (status, error, headers) = send(&router, Method::PUT, "/orders", "", "x-account").await;
    assert_eq!((status, error["text"].is_string(), &headers["allow"]), (405, true, &"POST,DELETE".parse().unwrap()));
    assert!(lamps.take().is_empty());
}

#[tokio::test]
async fn a_failure_has_the_status_and_code_of_its_operation() {
    let (router, _) = router();
    for (stall, status, code) in [("taken", 409, None), ("refused", 418, Some("closed")), ("broken", 502, None)] {
        let order = format!(r#"{{"stall":"{stall}","plan":"brass"}}"#);
        let (answered, error, _) = send(&router, Method::POST, "/orders", &order, "").await;
        assert_eq!((answered, error["oh"].as_str()), (status, code), "{stall}");
    }
    let (status, ..) = send(&router, Method::DELETE, "/orders?stall=taken", "", "").await;
    assert_eq!(status, 502, "a removal cannot be refused");
}

#[tokio::test]
async fn an_id_may_be_in_the_query_and_is_checked() {
    let (router, lamps) = router();
    let (status, ..) = send(&router, Method::DELETE, "/orders/?stall=a%2Fb", "", "").await;
    assert_eq!((status, lamps.take()), (200, vec!["deprovision a/b".to_owned()]));
    for (query, expected) in [("", 400), ("?stall=a%00", 404)] {
        let (status, ..) = send(&router, Method::DELETE, &format!("/orders{query}"), "", "").await;
        assert_eq!(status, expected, "{query}");
    }
    assert!(lamps.take().is_empty());
}

#[tokio::test]
async fn every_event_is_handled_although_one_fails() {
    let (router, lamps) = router();
    let (status, body, _) = send(&router, Method::POST, "/events", r#"{"stalls":["1","2"]}"#, "").await;
    assert_eq!((status, body, lamps.take().len()), (202, json!({ "noted": true }), 3));
    let (status, error, _) =
        send(&router, Method::POST, "/events", r#"{"stalls":["1","refused","broken","2"]}"#, "").await;
    assert_eq!((status, &error["oh"]), (418, &json!("closed")), "the first failure is answered");
    let all = ["suspend 1", "suspend refused", "suspend broken", "suspend 2", "notice all"];
    assert_eq!(lamps.take(), all);
}

#[tokio::test]
async fn a_read_has_a_caller_a_time_limit_and_the_errors_of_the_contract() {
    let (router, _) = router();
    let (status, body, _) = send(&router, Method::GET, "/stalls/7", "", "").await;
    assert_eq!((status, body), (200, json!({ "stall": "7", "account": "acme" })));
    for (stall, status) in [("broken", 502), ("stuck", 502), ("%00", 404), ("%ff", 404)] {
        let (answered, error, _) = send(&router, Method::GET, &format!("/stalls/{stall}"), "", "").await;
        assert_eq!((answered, error["text"].is_string()), (status, true), "{stall}");
    }
    assert_eq!(send(&router, Method::GET, "/stalls/7", "", "x-account").await.0, 403);
}

#[tokio::test]
async fn an_open_route_needs_no_credentials() {
    let (router, _) = router();
    let (status, body, _) = send(&router, Method::GET, "/health", "", "x-account").await;
    assert_eq!((status, body), (200, json!({ "well": true })));
}
