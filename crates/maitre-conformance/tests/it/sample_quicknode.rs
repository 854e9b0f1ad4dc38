//! A correct add-on for QuickNode, and its faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use maitre_testkit::sign;
use serde_json::{Value, json};
use time::OffsetDateTime;

pub(crate) const USER: &str = "pomelo";
pub(crate) const PASSWORD: &str = "s3cr3t-example";
pub(crate) const JWT_SECRET: &str = "pomelo-jwt-secret";

/// Declares the faults: name, description, and the check that detects each.
macro_rules! faults {
    ($($name:ident: $description:literal => $check:literal;)*) => {
        /// The one fault of an add-on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fault {
            Nothing,
            $($name,)*
        }

        pub(crate) const FAULTS: &[(Fault, &str, &str)] = &[$((Fault::$name, $description, concat!("quicknode.", $check)),)*];
    };
}

faults! {
    OpenProvision: "does not authenticate provisions" => "auth.provision";
    OpenUpdate: "does not authenticate updates" => "auth.update";
    OpenDeactivate: "does not authenticate deactivations" => "auth.deactivate";
    OpenDeprovision: "does not authenticate deprovisions" => "auth.deprovision";
    AnyPassword: "accepts any password" => "auth.wrong-password";
    AnyUser: "accepts any user" => "auth.wrong-user";
    AnyScheme: "accepts credentials without a scheme" => "auth.no-scheme";
    BodyBeforePassword: "parses the body first" => "auth.before-body";
    DeletesBeforePassword: "deprovisions before it authenticates" => "auth.no-effect";
    RefusesEverything: "refuses the right credentials" => "auth.right-credentials";
    ProvisionIs201: "answers 201" => "provision.succeeds";
    NoStatusWord: "sends no status" => "provision.status";
    NumericUrl: "sends a number as URL" => "provision.urls";
    UrlWithQuery: "sends a dashboard URL with a query" => "provision.dashboard-url";
    NewUrlPerRequest: "creates another tenant" => "provision.repeated";
    ConcurrentIs500: "checks, then inserts" => "provision.concurrent";
    OtherPlanIs422: "refuses another plan" => "provision.other-plan";
    OneEndpoint: "allows one endpoint" => "provision.second-endpoint";
    NeverAgain: "never provisions an account again" => "provision.comes-back";
    NullIs400: "refuses null" => "provision.null-arrays";
    NumberIs400: "refuses a number as add-on-id" => "provision.number-id";
    AddOnIs400: "refuses add-on-slug" => "provision.with-add-on";
    EmptySocketIs400: "refuses an empty wss-url" => "provision.no-socket";
    DeniesUnknown: "refuses unknown fields" => "provision.unknown-fields";
    NeedsTestHeader: "refuses requests that are not tests" => "provision.not-a-test";
    StrictPath: "does not fold slashes" => "provision.double-slash";
    InvalidJsonIs500: "fails on invalid JSON" => "provision.invalid-json";
    NoAccountNeeded: "provisions without an account" => "provision.missing-account";
    NoEndpointNeeded: "provisions without an endpoint" => "provision.missing-endpoint";
    UpdateIs204: "answers 204 to an update" => "update.succeeds";
    SameUpdateIs409: "refuses a repeated update" => "update.same";
    UrlChangeIs422: "refuses new URLs" => "update.urls";
    UpdateOfUnknownAccount: "updates an unknown account" => "update.unknown-account";
    UpdateOfUnknownEndpoint: "updates an unknown endpoint" => "update.unknown-endpoint";
    UpdateWithoutBodyIs500: "fails on an empty update" => "update.no-body";
    DeactivateIs204: "answers 204 to a deactivation" => "deactivate.succeeds";
    TextTimeIs400: "refuses a time as text" => "deactivate.text-time";
    FutureIs422: "refuses a time in the future" => "deactivate.future";
    NoTimeIs400: "needs a time" => "deactivate.no-time";
    DeactivateKeeps: "keeps a deactivated endpoint" => "deactivate.ends";
    RepeatedDeactivateIs500: "fails on a repeated deactivation" => "deactivate.repeated";
    DeactivateUnknown: "deactivates an unknown endpoint" => "deactivate.unknown";
    DeactivateEndsAll: "removes the account's other endpoints" => "deactivate.keeps-others";
    DeactivateWithoutBody: "deactivates without a body" => "deactivate.no-body";
    DeprovisionIs204: "answers 204 to a deprovision" => "deprovision.succeeds";
    DeprovisionNeedsEndpoint: "does not deprovision an account without endpoints" => "deprovision.no-endpoints";
    DeprovisionEndsOne: "removes one endpoint of the account" => "deprovision.all-endpoints";
    RepeatedDeprovisionIs500: "fails on a repeated deprovision" => "deprovision.repeated";
    DeprovisionUnknown: "deprovisions an unknown account" => "deprovision.unknown";
    DeprovisionEndsAll: "removes all accounts" => "deprovision.keeps-others";
    DeprovisionWithoutBody: "deprovisions without a body" => "deprovision.no-body";
    NeedsExp: "needs exp" => "sso.opens";
    NeedsCookie: "shows the dashboard only with a cookie" => "sso.opens";
    NeedsJti: "needs jti" => "sso.tool";
    NoTokenNeeded: "signs in without a token" => "sso.no-token";
    AnyKey: "does not verify the signature" => "sso.other-key";
    PartOfSignature: "compares the end of the signature" => "sso.forged";
    AlgorithmNone: "accepts unsigned tokens" => "sso.unsigned";
    AnyAlgorithm: "ignores the algorithm" => "sso.algorithm";
    OldToken: "accepts old tokens" => "sso.old";
    EarlyToken: "accepts tokens of the future" => "sso.early";
    ExpiredToken: "ignores exp" => "sso.expired";
    UsedToken: "accepts a token twice" => "sso.used";
    AnyAccount: "signs in to an unknown account" => "sso.unknown-account";
    RemovedAccount: "signs in to a removed account" => "sso.deprovisioned";
    NoReferrerPolicy: "leaks the token to the next page" => "sso.no-referrer";
    HealthIs204: "answers 204 to the health check" => "health.succeeds";
    HealthIsText: "answers the health check with text" => "health.status";
}

/// Add-on in memory.
#[derive(Clone)]
pub(crate) struct SampleQuickNode {
    fault: Fault,
    store: Arc<Mutex<Store>>,
}

#[derive(Default)]
struct Store {
    /// Accounts, and whether each is provisioned.
    accounts: BTreeMap<String, bool>,
    /// Endpoints by account and id: the plan, or `None` if it was removed.
    endpoints: BTreeMap<(String, String), Option<String>>,
    in_progress: BTreeSet<(String, String)>,
    used: BTreeSet<String>,
    requests: usize,
}

type Answer = Result<Response, u16>;

impl SampleQuickNode {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, store: Arc::default() }
    }

    /// Returns the number of provisioned endpoints.
    pub(crate) fn active(&self) -> usize {
        self.store().endpoints.values().flatten().count()
    }

    pub(crate) fn router(&self) -> Router {
        let this = self.clone();
        Router::new().fallback(async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let answer = this.answer(&method, &uri, &headers, &body).await;
            answer.unwrap_or_else(|status| response(status, &json!({ "status": "error", "message": "No." })))
        })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    async fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Answer {
        let path = if self.is(Fault::StrictPath) { uri.path().to_owned() } else { uri.path().replace("//", "/") };
        match (method.as_str(), path.as_str()) {
            ("GET", "/quicknode/health") => Ok(self.health()),
            ("GET", "/quicknode/sso") => self.sign_on(uri.query().unwrap_or_default()),
            ("GET", "/dashboard") => Err(403),
            ("POST", "/quicknode/provision") => {
                let body = self.admit(headers, body, Fault::OpenProvision)?;
                self.provision(headers, &body).await
            }
            ("PUT", "/quicknode/update") => self.update(&self.admit(headers, body, Fault::OpenUpdate)?),
            ("DELETE", "/quicknode/deactivate_endpoint") => {
                if self.is(Fault::DeactivateWithoutBody) && body.is_empty() {
                    return Ok(success());
                }
                self.deactivate(&self.admit(headers, body, Fault::OpenDeactivate)?)
            }
            ("DELETE", "/quicknode/deprovision") => {
                if self.is(Fault::DeprovisionWithoutBody) && body.is_empty() {
                    return Ok(success());
                }
                if self.is(Fault::DeletesBeforePassword)
                    && let Ok(body) = serde_json::from_slice::<Value>(body)
                {
                    let _ = self.deprovision(&body);
                }
                self.deprovision(&self.admit(headers, body, Fault::OpenDeprovision)?)
            }
            _ => Err(404),
        }
    }

    /// Authenticates a request and parses its body.
    fn admit(&self, headers: &HeaderMap, body: &[u8], open: Fault) -> Result<Value, u16> {
        let parsed = serde_json::from_slice::<Value>(body).ok().filter(Value::is_object);
        if self.is(Fault::BodyBeforePassword) && parsed.is_none() {
            return Err(400);
        }
        let sent = headers.get("authorization").and_then(|value| value.to_str().ok());
        let right = sign::basic(USER, PASSWORD);
        let decoded = sent.and_then(|sent| {
            let bytes = base64::prelude::BASE64_STANDARD.decode(sent.strip_prefix("Basic ")?).ok()?;
            String::from_utf8(bytes).ok()
        });
        let (user, password) = decoded.as_deref().and_then(|text| text.split_once(':')).unwrap_or_default();
        let is_right = match self.fault {
            Fault::RefusesEverything => false,
            Fault::AnyPassword => user == USER,
            Fault::AnyUser => password == PASSWORD,
            Fault::AnyScheme => sent.is_some_and(|sent| right.ends_with(sent) && !sent.is_empty()),
            fault => sent == Some(&right) || fault == open,
        };
        if !is_right {
            return Err(401);
        }
        parsed.ok_or(match self.fault {
            Fault::InvalidJsonIs500 => 500,
            Fault::UpdateWithoutBodyIs500 if body.is_empty() => 500,
            _ => 400,
        })
    }

    async fn provision(&self, headers: &HeaderMap, body: &Value) -> Answer {
        let is_refused = match self.fault {
            Fault::NullIs400 => body["referers"].is_null(),
            Fault::NumberIs400 => body["add-on-id"].is_number(),
            Fault::AddOnIs400 => body.get("add-on-slug").is_some_and(Value::is_string) && body["add-on-id"].is_string(),
            Fault::EmptySocketIs400 => body["wss-url"] == "",
            Fault::DeniesUnknown => body.get("a-later-field").is_some(),
            Fault::NeedsTestHeader => headers.get("x-qn-testing").is_none(),
            _ => false,
        };
        if is_refused {
            return Err(400);
        }
        let optional = |name: &str, fault: Fault| match body[name].as_str().filter(|id| !id.is_empty()) {
            Some(id) => Ok(id.to_owned()),
            None if self.is(fault) => Ok("none".to_owned()),
            None => Err(400_u16),
        };
        let account = optional("quicknode-id", Fault::NoAccountNeeded)?;
        let endpoint = optional("endpoint-id", Fault::NoEndpointNeeded)?;
        let plan = body["plan"].as_str().filter(|plan| !plan.is_empty()).ok_or(400_u16)?.to_owned();
        let key = (account.clone(), endpoint);
        if self.is(Fault::ConcurrentIs500) {
            if !self.store().in_progress.insert(key.clone()) {
                return Err(500);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.store().in_progress.remove(&key);
        }
        let mut store = self.store();
        let known = store.endpoints.get(&key).cloned();
        let others = store.endpoints.iter().filter(|((of, id), live)| *of == account && *id != key.1 && live.is_some());
        let has_others = others.count() > 0;
        match (self.fault, &known) {
            (Fault::NeverAgain, Some(None)) => return Err(410),
            (Fault::OtherPlanIs422, Some(Some(known))) if *known != plan => return Err(422),
            (Fault::OneEndpoint, _) if has_others => return Err(409),
            _ => {}
        }
        store.accounts.insert(account, true);
        store.endpoints.insert(key, Some(plan));
        store.requests += 1;
        let mut url = json!("https://pomelo.example/quicknode/sso");
        match self.fault {
            Fault::NumericUrl => url = json!(7),
            Fault::UrlWithQuery => url = json!("https://pomelo.example/quicknode/sso?a=b"),
            Fault::NewUrlPerRequest => url = json!(format!("https://pomelo.example/quicknode/sso/{}", store.requests)),
            _ => {}
        }
        let mut answer = json!({ "status": "success", "dashboard-url": url, "access-url": null });
        if self.is(Fault::NoStatusWord) {
            answer["status"] = Value::Null;
        }
        Ok(response(if self.is(Fault::ProvisionIs201) { 201 } else { 200 }, &answer))
    }

    fn update(&self, body: &Value) -> Answer {
        let (account, endpoint) = (id(body, "quicknode-id")?, id(body, "endpoint-id")?);
        let plan = body["plan"].as_str().ok_or(400_u16)?.to_owned();
        if self.is(Fault::UrlChangeIs422) && body["http-url"].as_str().is_some_and(|url| url.ends_with("/new/")) {
            return Err(422);
        }
        let mut store = self.store();
        let knows_account = store.accounts.get(&account).copied().unwrap_or_default();
        match store.endpoints.get_mut(&(account, endpoint)) {
            Some(Some(known)) if self.is(Fault::SameUpdateIs409) && *known == plan => return Err(409),
            Some(Some(known)) => *known = plan,
            _ if self.is(Fault::UpdateOfUnknownAccount) && !knows_account => {}
            _ if self.is(Fault::UpdateOfUnknownEndpoint) && knows_account => {}
            _ => return Err(404),
        }
        Ok(if self.is(Fault::UpdateIs204) { response(204, &Value::Null) } else { success() })
    }

    fn deactivate(&self, body: &Value) -> Answer {
        let (account, endpoint) = (id(body, "quicknode-id")?, id(body, "endpoint-id")?);
        let time = &body["deactivate-at"];
        match self.fault {
            Fault::TextTimeIs400 if time.is_string() => return Err(400),
            Fault::NoTimeIs400 if time.is_null() => return Err(400),
            Fault::FutureIs422 if time.as_i64().is_some_and(|time| time > now() + 60) => return Err(422),
            _ => {}
        }
        let mut store = self.store();
        match store.endpoints.get_mut(&(account.clone(), endpoint)) {
            None if self.is(Fault::DeactivateUnknown) => return Ok(success()),
            None => return Err(404),
            Some(None) if self.is(Fault::RepeatedDeactivateIs500) => return Err(500),
            Some(live) if !self.is(Fault::DeactivateKeeps) => *live = None,
            Some(_) => {}
        }
        if self.is(Fault::DeactivateEndsAll) {
            store.remove_all(|of| *of == account);
        }
        Ok(if self.is(Fault::DeactivateIs204) { response(204, &Value::Null) } else { success() })
    }

    fn deprovision(&self, body: &Value) -> Answer {
        let account = id(body, "quicknode-id")?;
        let mut store = self.store();
        let live = store.endpoints.iter().filter(|((of, _), live)| *of == account && live.is_some()).count();
        match store.accounts.get_mut(&account) {
            None if self.is(Fault::DeprovisionUnknown) => return Ok(success()),
            None => return Err(404),
            Some(false) if self.is(Fault::RepeatedDeprovisionIs500) => return Err(500),
            Some(_) if self.is(Fault::DeprovisionNeedsEndpoint) && live == 0 => return Err(404),
            Some(is_live) => *is_live = false,
        }
        match self.fault {
            Fault::DeprovisionEndsOne => {
                let first = store.endpoints.iter_mut().find(|((of, _), live)| *of == account && live.is_some());
                if let Some((_, live)) = first {
                    *live = None;
                }
            }
            Fault::DeprovisionEndsAll => store.remove_all(|_| true),
            _ => store.remove_all(|of| *of == account),
        }
        Ok(if self.is(Fault::DeprovisionIs204) { response(204, &Value::Null) } else { success() })
    }

    fn sign_on(&self, query: &str) -> Answer {
        let Some(jwt) = query.strip_prefix("jwt=") else {
            return if self.is(Fault::NoTokenNeeded) { Ok(self.page()) } else { Err(401) };
        };
        let parts: Vec<_> = jwt.split('.').collect();
        let [header, claims, signature] = parts[..] else { return Err(401) };
        let decode = |part: &str| String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        let (Some(header), Some(claims)) = (decode(header), decode(claims)) else { return Err(401) };
        let right = sign::jwt(&header, &claims, JWT_SECRET);
        let (header, claims): (Value, Value) =
            (serde_json::from_str(&header).map_err(|_| 401_u16)?, serde_json::from_str(&claims).map_err(|_| 401_u16)?);
        let is_signed = match self.fault {
            Fault::AnyKey => true,
            Fault::PartOfSignature => signature.len() > 8 && right.ends_with(&signature[8..]),
            Fault::AlgorithmNone if header["alg"] == "none" => true,
            _ => right == jwt,
        };
        let algorithm = header["alg"].as_str().unwrap_or_default();
        let is_known = algorithm == "HS256"
            || self.is(Fault::AnyAlgorithm)
            || self.is(Fault::AlgorithmNone) && algorithm == "none";
        if !is_signed || !is_known {
            return Err(401);
        }
        let (iat, exp) = (claims["iat"].as_i64().ok_or(401_u16)?, claims["exp"].as_i64());
        let is_old = exp.is_none() && iat < now() - 600 && !self.is(Fault::OldToken);
        let is_early = iat > now() + 60 && !self.is(Fault::EarlyToken);
        let is_expired = exp.is_some_and(|exp| exp < now() - 60) && !self.is(Fault::ExpiredToken);
        let lacks_claim =
            exp.is_none() && self.is(Fault::NeedsExp) || claims["jti"].is_null() && self.is(Fault::NeedsJti);
        if is_old || is_early || is_expired || lacks_claim {
            return Err(401);
        }
        let account = claims["quicknode_id"].as_str().ok_or(401_u16)?;
        let mut store = self.store();
        match store.accounts.get(account) {
            Some(true) => {}
            Some(false) if self.is(Fault::RemovedAccount) => {}
            None if self.is(Fault::AnyAccount) => {}
            _ => return Err(401),
        }
        let token = claims["jti"].as_str().unwrap_or(jwt).to_owned();
        if !store.used.insert(token) && !self.is(Fault::UsedToken) {
            return Err(401);
        }
        drop(store);
        Ok(self.page())
    }

    fn page(&self) -> Response {
        if self.is(Fault::NeedsCookie) {
            return (axum::http::StatusCode::SEE_OTHER, [("location", "/dashboard")]).into_response();
        }
        if self.is(Fault::NoReferrerPolicy) {
            return "You are signed in.".into_response();
        }
        ([("referrer-policy", "no-referrer")], "You are signed in.").into_response()
    }

    fn health(&self) -> Response {
        match self.fault {
            Fault::HealthIs204 => response(204, &Value::Null),
            Fault::HealthIsText => "OK".into_response(),
            _ => response(200, &json!({ "status": "ok" })),
        }
    }
}

impl Store {
    fn remove_all(&mut self, is_removed: impl Fn(&String) -> bool) {
        let removed = self.endpoints.iter_mut().filter(|((account, _), _)| is_removed(account));
        removed.for_each(|(_, live)| *live = None);
    }
}

fn id(body: &Value, name: &str) -> Result<String, u16> {
    body[name].as_str().filter(|id| !id.is_empty()).map(str::to_owned).ok_or(400)
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn success() -> Response {
    response(200, &json!({ "status": "success" }))
}

fn response(status: u16, body: &Value) -> Response {
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    match body {
        Value::Null => status.into_response(),
        body => (status, [("content-type", "application/json")], body.to_string()).into_response(),
    }
}
