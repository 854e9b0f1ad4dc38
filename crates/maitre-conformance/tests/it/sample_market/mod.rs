//! A small add-on for DigitalOcean, Clever Cloud or Scalingo that is correct except for one fault.

mod events;
mod fault;
mod resources;
mod sign_on;
mod store;
mod table;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use maitre_conformance::Marketplace;
use serde_json::{Map, Value, json};

pub(crate) use fault::{Accepts, Fault, Route};
use store::Store;
pub(crate) use table::faults;

const USER: &str = "tally";
const PASSWORD: &str = "s3cr3t-example-of-32-characters!";
const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Maximum size of a body, in bytes.
const LIMIT: usize = 2 * 1024 * 1024;

/// Duration of the work in faults that depend on concurrency.
const DELAY: Duration = Duration::from_millis(60);

/// The add-on; clones share their resources.
#[derive(Clone)]
pub(crate) struct SampleMarket {
    marketplace: Marketplace,
    fault: Fault,
    store: Arc<Mutex<Store>>,
}

/// Names of the fields of a marketplace.
struct Names {
    key: &'static str,
    required: &'static str,
    plan: &'static str,
    parameters: &'static str,
    documented: &'static str,
    optional: &'static str,
}

struct Call {
    method: String,
    segments: Vec<String>,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl SampleMarket {
    pub(crate) fn new(marketplace: Marketplace, fault: Fault) -> Self {
        Self { marketplace, fault, store: Arc::default() }
    }

    /// Returns the credentials in the form of the marketplace.
    pub(crate) fn manifest(&self) -> String {
        let vars = json!(["TALLY_URL", "TALLY_TOKEN"]);
        match self.marketplace {
            Marketplace::DigitalOcean => {
                json!({ "app_slug": USER, "password": PASSWORD, "salt": SALT, "client_secret": "c" })
            }
            Marketplace::CleverCloud => {
                json!({ "id": USER, "api": { "password": PASSWORD, "sso_salt": SALT, "config_vars": vars } })
            }
            _ => json!({ "username": USER, "password": PASSWORD, "sso_salt": SALT, "config_vars": vars }),
        }
        .to_string()
    }

    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(handle).with_state(self.clone())
    }

    /// Returns the number of existing resources.
    pub(crate) fn active(&self) -> usize {
        self.store().resources.len()
    }

    pub(crate) fn created(&self) -> usize {
        self.store().created
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn is_digitalocean(&self) -> bool {
        self.marketplace == Marketplace::DigitalOcean
    }

    fn is_scalingo(&self) -> bool {
        self.marketplace == Marketplace::Scalingo
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    fn names(&self) -> Names {
        match self.marketplace {
            Marketplace::DigitalOcean => Names {
                key: "uuid",
                required: "uuid",
                plan: "plan_slug",
                parameters: "metadata",
                documented: "callback_url",
                optional: "email",
            },
            Marketplace::CleverCloud => Names {
                key: "addon_id",
                required: "addon_id",
                plan: "plan",
                parameters: "options",
                documented: "logplex_token",
                optional: "owner_name",
            },
            _ => Names {
                key: "uuid",
                required: "app_id",
                plan: "plan",
                parameters: "options",
                documented: "shard_id",
                optional: "uuid",
            },
        }
    }

    fn route(&self, call: &Call) -> Option<Route> {
        let segments: Vec<_> = call.segments.iter().map(String::as_str).collect();
        Some(match (call.method.as_str(), segments.as_slice()) {
            ("POST", ["resources"]) => Route::Provision,
            ("PUT", ["resources", _]) => Route::PlanChange,
            ("POST", ["resources", _]) if self.is(Fault::PostIsPut) => Route::PlanChange,
            ("PATCH", ["resources", _]) if self.is_scalingo() && !self.is(Fault::NoPatch) => Route::Patch,
            ("DELETE", ["resources", _]) => Route::Deprovision,
            ("POST", ["notifications"]) if self.is_digitalocean() => Route::Notification,
            ("POST", ["resources", _, "suspend"]) if self.is_scalingo() => Route::Suspend,
            ("POST", ["resources", _, "resume"]) if self.is_scalingo() => Route::Resume,
            _ => return None,
        })
    }

    /// Returns the 401 to a request with wrong credentials.
    fn unauthorized(&self, route: Route, headers: &HeaderMap) -> Option<Response> {
        let header = headers.get("authorization").and_then(|value| value.to_str().ok());
        let decoded =
            header.and_then(|value| value.strip_prefix("Basic ")).and_then(|it| BASE64_STANDARD.decode(it).ok());
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
        if self.is(Fault::MalformedHeaderIs500) && header.is_some() && pair.is_none() {
            return Some(status(500));
        }
        let accepts = |what| self.is(Fault::Auth(route, what));
        let is_right = match pair {
            None => header.is_none() && accepts(Accepts::NoCredentials),
            Some((user, password)) => {
                let same_password = password == PASSWORD
                    || accepts(Accepts::WrongPassword)
                    || (self.is(Fault::PasswordInAnyCase) && password.eq_ignore_ascii_case(PASSWORD));
                (user == USER || accepts(Accepts::WrongUser)) && same_password
            }
        };
        if is_right && !self.is(Fault::RefusesEverything) {
            return None;
        }
        let mut response = self.refusal(401, "Unauthorized");
        if !self.is(Fault::NoChallenge) {
            let challenge = HeaderValue::from_static("Basic realm=\"tally\"");
            response.headers_mut().insert("www-authenticate", challenge);
        }
        Some(response)
    }

    /// Returns an error with a reason.
    fn refusal(&self, code: u16, reason: &str) -> Response {
        let reason =
            if self.is(Fault::SendsThePassword) { format!("{reason}: not {PASSWORD}") } else { reason.to_owned() };
        let mut body = json!({ "message": reason });
        if self.is_scalingo() {
            body = if self.is(Fault::ErrorOnly) {
                json!({ "error": reason })
            } else {
                json!({ "error": reason, "message": reason })
            };
        }
        answer(code, &body)
    }

    /// Parses a JSON object, or returns the refusal.
    fn object(&self, call: &Call, is_provision: bool) -> Result<Map<String, Value>, Box<Response>> {
        let refuse = |is_500: bool| {
            Box::new(if is_500 { status(500) } else { self.refusal(400, "The body is not a JSON object.") })
        };
        let text = call.body.trim_ascii();
        match serde_json::from_slice(text) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(refuse(is_provision && self.is(Fault::ListIs500))),
            Err(_) if text.is_empty() => Err(refuse(is_provision && self.is(Fault::EmptyIs500))),
            Err(_) if text.windows(100).any(|part| part.iter().all(|byte| *byte == b'[')) => {
                Err(refuse(self.is(Fault::DeepIs500)))
            }
            Err(_) if is_provision => Err(refuse(self.is(Fault::NoJsonIs500))),
            Err(_) => Err(refuse(self.is(Fault::ChangeWithoutJsonIs500))),
        }
    }
}

async fn handle(State(addon): State<SampleMarket>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    // the fault must not depend on whether the caller notices an early response
    let limit = if addon.is(Fault::LargeIs500) { usize::MAX } else { LIMIT };
    let impatient = addon.is(Fault::ImpatientReader);
    let patience = if impatient { Duration::from_millis(250) } else { Duration::from_secs(10) };
    let body = match tokio::time::timeout(patience, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(body)) if body.len() > LIMIT => return status(500),
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return status(413),
        Err(_) => return status(408),
    };
    let path = head.uri.path().split('/').skip(2); // after the name of the marketplace
    let decode = |part: &str| {
        form_urlencoded::parse(format!("a={}", part.replace('+', "%2B")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    let segments = path.map(|part| decode(part).unwrap_or_default()).collect();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let call = Call { method: head.method.to_string(), segments, query, headers: head.headers, body };
    if call.segments == ["sso"] || head.uri.path() == "/dashboard" {
        return sign_on::handle(&addon, head.uri.path(), &call);
    }
    let Some(route) = addon.route(&call) else {
        return status(if addon.is(Fault::UnknownPathIs200) { 200 } else { 404 });
    };
    if addon.is(Fault::DeletesBeforePassword) && route == Route::Deprovision {
        addon.store().remove(&call.segments[1]);
    }
    if addon.is(Fault::BodyBeforePassword)
        && route == Route::Provision
        && let Err(refusal) = addon.object(&call, true)
    {
        return *refusal;
    }
    if let Some(response) = addon.unauthorized(route, &call.headers) {
        return response;
    }
    let name = call.segments.get(1).cloned().unwrap_or_default();
    let is_odd = |character: char| !character.is_ascii_alphanumeric() && character != '-' && character != '_';
    if addon.is(Fault::OddIdIs500) && name.contains(is_odd) {
        return status(500);
    }
    match route {
        Route::Provision => resources::provision(&addon, &call).await,
        Route::PlanChange | Route::Patch => resources::plan_change(&addon, &name, &call).await,
        Route::Deprovision => resources::deprovision(&addon, &name, &call).await,
        Route::Notification => events::notification(&addon, &call),
        Route::Suspend => events::suspension(&addon, &name, &call, true),
        Route::Resume => events::suspension(&addon, &name, &call, false),
    }
}

fn answer(code: u16, body: &Value) -> Response {
    let json = HeaderValue::from_static("application/json");
    (StatusCode::from_u16(code).unwrap(), [("content-type", json)], body.to_string()).into_response()
}

/// Returns a reply without a body.
fn status(code: u16) -> Response {
    StatusCode::from_u16(code).unwrap().into_response()
}
