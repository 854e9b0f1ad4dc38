//! A small add-on that is correct except for one fault.

mod auth;
mod completion;
mod fault;
mod lifecycle;
mod provision;
mod sign_on;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(crate) use completion::CLIENT_SECRET;
pub(crate) use fault::{Fault, MUTANTS};

pub(crate) const SLUG: &str = "lantern";
pub(crate) const PASSWORD: &str = "s3cr3t-example-of-32-characters!";
pub(crate) const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Maximum size of a body, in bytes.
const LIMIT: usize = 1024 * 1024;

/// Duration of the work in faults that depend on concurrency; long enough for a busy machine.
const DELAY: Duration = Duration::from_millis(100);

pub(crate) fn manifest() -> String {
    json!({ "id": SLUG, "name": "Lantern", "api": {
        "version": "3", "password": PASSWORD, "sso_salt": SALT,
        "config_vars": ["LANTERN_URL", "LANTERN_TOKEN"], "regions": ["us"], "requires": ["syslog_drain", "log_input"],
        "production": { "base_url": "https://lantern.example/heroku/resources", "sso_url": "https://lantern.example/heroku/sso" },
        "test": { "base_url": "http://localhost:8300/heroku/resources", "sso_url": "http://localhost:8300/heroku/sso" } } })
    .to_string()
}

/// Returns the manifest of version 1: without a version, and with plain URLs.
pub(crate) fn manifest_of_version_1() -> String {
    json!({ "id": SLUG, "name": "Lantern", "api": {
        "password": PASSWORD, "sso_salt": SALT, "config_vars": ["LANTERN_URL", "LANTERN_TOKEN"], "regions": ["us"],
        "production": "https://lantern.example", "test": "http://localhost:8300" } })
    .to_string()
}

#[derive(Clone)]
pub(crate) struct SampleAddon {
    fault: Fault,
    is_of_version_1: bool,
    has_integer_ids: bool,
    /// Base URL of Heroku's API, if the add-on is asynchronous.
    heroku: Option<String>,
    store: Arc<Mutex<Store>>,
    counter: Arc<AtomicU64>,
}

#[derive(Default)]
struct Store {
    resources: Vec<Resource>,
    /// Uuids with a running provision, and ids with a running plan change.
    busy: HashSet<String>,
    /// Ids of deprovisions and plan changes that arrived before the provision.
    early: HashSet<String>,
    sessions: HashMap<String, String>,
    /// Used tokens, with the time of use.
    used: HashMap<String, Instant>,
    /// Heroku's access tokens by uuid.
    tokens: HashMap<String, String>,
    poisoned: bool,
}

#[derive(Clone)]
struct Resource {
    uuid: String,
    id: String,
    provisioned_plan: String,
    plan: String,
    last_change: Option<String>,
    token: String,
    grant: Value,
    callback_url: String,
    removed: bool,
    /// Number of rows of this resource, if every provision stores one.
    rows: u32,
    /// Whether an asynchronous provision is complete.
    done: bool,
}

impl SampleAddon {
    pub(crate) fn with(fault: Fault) -> Self {
        let is_of_version_1 = fault.is_of_version_1();
        let (store, counter) = (Arc::default(), Arc::default());
        Self { fault, is_of_version_1, has_integer_ids: false, heroku: None, store, counter }
    }

    /// Returns this add-on for a manifest of version 1.
    pub(crate) fn of_version_1(self) -> Self {
        Self { is_of_version_1: true, ..self }
    }

    /// Returns this add-on with integers as ids.
    pub(crate) fn with_integer_ids(self) -> Self {
        Self { has_integer_ids: true, ..self }
    }

    pub(crate) fn manifest(&self) -> String {
        if self.is_of_version_1 { manifest_of_version_1() } else { manifest() }
    }

    /// Creates an asynchronous add-on, which answers 202 and completes by calling Heroku's API at this address.
    pub(crate) fn asynchronous(fault: Fault, heroku: &str) -> Self {
        Self { heroku: Some(heroku.to_owned()), ..Self::with(fault) }
    }

    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    /// Returns the number of resources that were not deprovisioned.
    pub(crate) fn active(&self) -> usize {
        self.store().resources.iter().filter(|resource| !resource.removed).count()
    }

    /// Returns the number of resources that were ever created.
    pub(crate) fn created(&self) -> usize {
        self.store().resources.len()
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    /// Returns a unique text.
    fn unique(&self) -> String {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        format!("{now:x}-{}", self.counter.fetch_add(1, Ordering::Relaxed))
    }
}

impl Store {
    /// Finds a resource by its id or by Heroku's uuid.
    fn find(&mut self, name: &str) -> Option<&mut Resource> {
        self.resources.iter_mut().find(|resource| resource.id == name || resource.uuid == name)
    }

    fn remove(&mut self, name: &str) {
        self.resources
            .iter_mut()
            .filter(|resource| resource.id == name || resource.uuid == name)
            .for_each(|resource| resource.removed = true);
    }
}

async fn serve(State(addon): State<SampleAddon>, request: Request) -> Response {
    let path = request.uri().path().trim_end_matches('/').to_owned();
    let method = request.method().clone();
    let at_resource = path.strip_prefix("/heroku/resources/").map(decoded);
    match (method, path.as_str(), at_resource) {
        (Method::POST, "/heroku/resources", _) => provision::provision(addon, request).await,
        (Method::POST, "/heroku/sso", _) => sign_on::sign_on(addon, request).await,
        (Method::GET, _, Some(Ok(id))) if addon.is_of_version_1 && !addon.is(Fault::NoSignOnByGet) => {
            sign_on::sign_on_by_get(&addon, id, &request)
        }
        (Method::GET, "/dashboard", _) => sign_on::dashboard(&addon, &request),
        (Method::PUT | Method::DELETE, _, Some(Err(()))) if addon.is(Fault::OddIdIs500) => internal_error(),
        (Method::PUT, _, Some(Ok(id))) => lifecycle::plan_change(addon, &id, request).await,
        (Method::DELETE, _, _) if addon.is(Fault::NoDeleteRoute) => refusal(405, "Method not allowed."),
        (Method::DELETE, _, Some(Ok(id))) => lifecycle::deprovision(addon, &id, request).await,
        (Method::PUT | Method::DELETE, _, Some(Err(()))) => refusal(404, "Resource not found."),
        _ if addon.is(Fault::OtherMethodIs500) => internal_error(),
        (_, "/heroku/resources" | "/heroku/sso", _) | (_, _, Some(_)) => refusal(405, "Method not allowed."),
        _ => refusal(404, "Not found."),
    }
}

/// Decodes a path segment.
fn decoded(segment: &str) -> Result<String, ()> {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let [first, others @ ..] = rest {
        let hex = (*first == b'%').then(|| others.get(..2)).flatten();
        let escaped = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &others[2..] } else { others };
    }
    String::from_utf8(bytes).map_err(drop)
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

fn refusal(status: u16, message: &str) -> Response {
    answer(status, &json!({ "message": message }))
}

fn internal_error() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
}

enum Unread {
    TooLong,
    Broken,
    TooSlow,
}

async fn read(addon: &SampleAddon, body: Body) -> Result<Vec<u8>, Unread> {
    let limit = match addon.fault {
        Fault::LargeIs500 | Fault::LargeUnauthenticatedIs500 => 16 * LIMIT, // these faults fail after reading the body
        _ => LIMIT,
    };
    let timeout = Duration::from_millis(match addon.fault {
        Fault::TimesOutAfterHalfASecond => 500,
        Fault::TimesOutAfterFiveSeconds => 5_000,
        _ => 20_000,
    });
    match tokio::time::timeout(timeout, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) if bytes.len() > LIMIT => Err(Unread::TooLong),
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) => {
            let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |&error| error.source());
            let too_long = causes.last().is_some_and(|cause| cause.to_string().contains("length limit"));
            Err(if too_long { Unread::TooLong } else { Unread::Broken })
        }
        Err(_) => Err(Unread::TooSlow),
    }
}
