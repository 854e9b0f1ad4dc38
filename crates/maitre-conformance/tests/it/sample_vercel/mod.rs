//! A correct integration for Vercel, and its faults.

mod console;
mod installations;
mod plans;
mod provision;
mod purchases;
mod request;
mod resources;
mod rotation;
mod sso;
mod store;
mod table;
mod token;
mod transfers;
mod webhooks;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use self::request::{Received, Route};
use self::store::Store;
pub(crate) use self::table::{FAULTS, Fault};
use self::token::Keys;

pub(crate) const INTEGRATION: &str = "oac_pomelo";
pub(crate) const CLIENT_SECRET: &str = "pomelo-client-secret";
pub(crate) const PRODUCT: &str = "pomelo";

/// Plans, and whether each costs something.
const PLANS: [(&str, bool); 2] = [("basic", false), ("premium", true)];

/// Integration in memory.
#[derive(Clone)]
pub(crate) struct SampleVercel {
    fault: Fault,
    /// URL of Vercel's side.
    platform: String,
    /// Whether rotations complete later.
    is_asynchronous: bool,
    /// Whether resources are ready later.
    is_pending: bool,
    http: reqwest::Client,
    keys: Arc<Mutex<Keys>>,
    store: Arc<Mutex<Store>>,
}

/// An error, with the input that is wrong.
pub(crate) struct Refusal {
    status: u16,
    field: Option<&'static str>,
}

type Answer = Result<Response, Refusal>;

fn refused(status: u16) -> Refusal {
    Refusal { status, field: None }
}

fn invalid(field: &'static str) -> Refusal {
    Refusal { status: 400, field: Some(field) }
}

impl SampleVercel {
    /// Creates an integration that calls Vercel at this URL.
    pub(crate) fn new(fault: Fault, platform: &str) -> Self {
        Self {
            fault,
            platform: platform.to_owned(),
            is_asynchronous: fault == Fault::NeverCompletes,
            is_pending: fault.is_of_pending_resources(),
            http: reqwest::Client::new(),
            keys: Arc::default(),
            store: Arc::default(),
        }
    }

    /// Lets rotations complete later.
    pub(crate) fn asynchronous(self) -> Self {
        Self { is_asynchronous: true, ..self }
    }

    /// Lets resources be ready later.
    pub(crate) fn pending(self) -> Self {
        Self { is_pending: true, ..self }
    }

    /// Returns the number of provisioned resources.
    pub(crate) fn active(&self) -> usize {
        self.store().resources.iter().filter(|resource| !resource.is_removed).count()
    }

    pub(crate) fn router(&self) -> Router {
        let this = self.clone();
        Router::new().fallback(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let limit =
                if this.is(Fault::SlowBodyIs408) { Duration::from_millis(200) } else { Duration::from_secs(20) };
            let Ok(Ok(body)) = tokio::time::timeout(limit, to_bytes(body, 4 << 20)).await else {
                return response(408, &Value::Null);
            };
            let received = Received { method: parts.method, uri: parts.uri, headers: parts.headers, body };
            this.answer(&received).await.unwrap_or_else(|refusal| this.error(&refusal))
        })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    async fn answer(&self, received: &Received) -> Answer {
        let path = received.uri.path().strip_prefix("/vercel").unwrap_or_default();
        match (received.method.as_str(), path) {
            ("HEAD", "/sso") if self.is(Fault::HeadUsesCode) => return self.sign_on(received).await,
            ("HEAD", "/sso") => return Err(refused(403)),
            ("GET", "/sso") => return self.sign_on(received).await,
            ("POST", "/webhooks") => return self.receive(received),
            _ => {}
        }
        if received.uri.path() == "/dashboard" {
            return self.dashboard(received);
        }
        let segments: Vec<_> = path.split('/').skip(1).collect();
        let Some((route, installation, id)) = request::route(received.method.as_str(), &segments) else {
            return if self.is(Fault::AnyPath) { Ok(response(200, &json!({}))) } else { Err(refused(404)) };
        };
        if self.is(Fault::OddIdIs500) && id.contains('%') {
            return Err(refused(500));
        }
        if self.is(Fault::BodyBeforeToken) && route == Route::Provision && parsed(&received.body).is_none() {
            return Err(refused(400));
        }
        if self.is(Fault::DeletesBeforeToken) && route == Route::Deprovision {
            let _ = self.deprovision(installation, id).await;
        }
        self.admit(route, received, installation).await?;
        match route {
            Route::Install => self.install(installation, received).await,
            Route::ReadInstallation => self.read_installation(installation),
            Route::UpdateInstallation => self.update_installation(installation, received),
            Route::Uninstall => self.uninstall(installation, received).await,
            Route::InstallationPlans => Ok(self.installation_plans()),
            Route::Provision => self.provision(installation, received).await,
            Route::Read => self.read(installation, id),
            Route::Update => self.update(installation, id, received),
            Route::Deprovision => self.deprovision(installation, id).await,
            Route::Rotate => self.rotate(installation, id, received).await,
            Route::Repl => self.run(installation, id, received),
            Route::Purchase => self.purchase(installation, received).await,
            Route::RequestTransfer => self.request_transfer(installation, received),
            Route::VerifyTransfer => self.verify_transfer(installation, id),
            Route::AcceptTransfer => self.accept_transfer(installation, id),
            Route::ResourcePlans => self.resource_plans(),
            Route::ProductPlans => self.product_plans(id, received).await,
        }
    }

    /// Returns an error in Vercel's form.
    fn error(&self, refusal: &Refusal) -> Response {
        let Refusal { status, field } = *refusal;
        let is_text = match self.fault {
            Fault::TokenErrorIsText => status == 403,
            Fault::NotFoundIsText => status == 404,
            Fault::ConflictIsText => status == 409,
            _ => false,
        };
        if is_text {
            return (StatusCode::from_u16(status).unwrap(), "No.").into_response();
        }
        let mut error = json!({ "code": "bad_request", "message": "The request is refused." });
        if let Some(field) = field {
            error["user"] = json!({ "message": "Choose another value." });
            error["fields"] = json!([{ "key": field, "message": "Choose another value." }]);
        }
        let fields = error.as_object_mut().unwrap();
        match self.fault {
            Fault::FieldsAreAnObject => drop(fields.insert("fields".to_owned(), json!({ "plan": "unknown" }))),
            Fault::NoFields => drop(fields.remove("fields")),
            Fault::NoUserMessage => drop(fields.remove("user")),
            Fault::StackTrace => drop(fields.insert("stack".to_owned(), "Error\n    at provision (index.js:7)".into())),
            Fault::ErrorIsText => error = "The request is refused.".into(),
            _ => {}
        }
        response(status, &json!({ "error": error }))
    }
}

/// Parses a body.
fn parsed(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

fn response(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    match body {
        Value::Null => status.into_response(),
        body => (status, [("content-type", "application/json")], body.to_string()).into_response(),
    }
}
