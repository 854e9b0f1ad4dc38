//! Part that the simulated APIs share: serving, recording and faults.

use std::{
    fmt, io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    response::Response,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    platform::{Fault, Faults, accept, json_text},
    sign,
};

/// Maximum length of a request body.
const MAX_BODY: usize = 1 << 20;

/// A request as received.
#[derive(Debug)]
pub struct ApiRequest<'a> {
    /// Method.
    pub method: &'a str,
    /// Segments of the path.
    pub path: Vec<&'a str>,
    /// Query, without the question mark.
    pub query: &'a str,
    /// `Authorization` header.
    pub authorization: Option<&'a str>,
    /// Body; null without one.
    pub body: Value,
}

impl ApiRequest<'_> {
    /// Returns the number with this name in the query.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<usize> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok())
    }

    /// Requires user name and password.
    ///
    /// # Errors
    /// Returns 401 if they are missing or differ.
    pub fn require_basic(&self, user: &str, password: &str) -> Result<(), Problem> {
        if self.authorization == Some(sign::basic(user, password).as_str()) {
            return Ok(());
        }
        Err(Problem::new(401, "the credentials are missing or wrong"))
    }

    /// Returns the body's only field, which must be an object of text.
    ///
    /// # Errors
    /// Returns 422 if the body has another structure.
    pub fn config(&self) -> Result<&serde_json::Map<String, Value>, Problem> {
        let fields = self.body.as_object().filter(|fields| fields.len() == 1);
        let config = fields.and_then(|fields| fields.get("config")).and_then(Value::as_object);
        let config = config.filter(|config| config.values().all(Value::is_string));
        config.ok_or_else(|| Problem::new(422, "the body is not {\"config\": {…}} with text as values"))
    }
}

/// Status and message of an error.
#[derive(Debug)]
pub struct Problem(u16, String);

impl Problem {
    /// Creates it.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self(status, message.into())
    }
}

/// Status and body of a success, or an error.
pub type Answer = Result<(u16, Value), Problem>;

/// State of a marketplace, which answers requests.
pub trait Model: Send + 'static {
    /// Answers a request.
    ///
    /// # Errors
    /// Returns the marketplace's error.
    fn answer(&mut self, request: &ApiRequest<'_>) -> Answer;
}

/// A vendor's call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ApiCall {
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Status of the response.
    pub status: u16,
    /// Reason why the call was refused, if it was.
    pub problem: Option<String>,
}

/// Simulated API with its state. Clones share the state.
pub struct Api<M>(Arc<Inner<M>>);

struct Inner<M> {
    state: Mutex<M>,
    calls: Mutex<Vec<ApiCall>>,
    faults: Faults,
}

impl<M: Model> Api<M> {
    pub(super) fn with_state(state: M) -> Self {
        Self(Arc::new(Inner { state: Mutex::new(state), calls: Mutex::default(), faults: Faults::new(0) }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, M> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Injects a fault.
    pub fn inject_fault(&self, fault: Fault) {
        self.0.faults.inject(fault);
    }

    /// Returns all calls so far, without those that a fault replaced.
    #[must_use]
    pub fn calls(&self) -> Vec<ApiCall> {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the number of calls with this method that were answered with a success.
    #[must_use]
    pub fn count(&self, method: &str) -> usize {
        self.calls().iter().filter(|call| call.method == method && call.status < 300).count()
    }

    /// Returns the calls that were refused because they differ from the marketplace's documents.
    #[must_use]
    pub fn problems(&self) -> Vec<ApiCall> {
        self.calls().into_iter().filter(|call| call.problem.is_some() && call.status != 404).collect()
    }

    /// Serves the API on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Returns an error if binding fails.
    pub async fn serve(&self) -> io::Result<ApiServer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, self.router()));
        Ok(ApiServer { url, _tasks: tasks })
    }

    /// Returns the API as a router.
    pub fn router(&self) -> Router {
        Router::new().fallback(call::<M>).with_state(self.clone())
    }
}

impl<M> Clone for Api<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> fmt::Debug for Api<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// Running server of an API. Dropping it closes the listener and all connections.
#[derive(Debug)]
#[must_use = "the API stops listening when this is dropped"]
pub struct ApiServer {
    url: String,
    _tasks: JoinSet<()>,
}

impl ApiServer {
    /// Returns the URL, such as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

async fn call<M: Model>(State(api): State<Api<M>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else { return error_response(400) };
    let fault = api.0.faults.draw(parts.method.as_str(), parts.uri.path());
    if let Some(fault) = fault.as_ref().filter(|fault| !fault.is_after_work()) {
        fault.wait().await;
        if fault.replaces_response() {
            return fault.answer_with(None, error_response);
        }
    }
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let is_json = header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let answer = match (body.is_empty(), serde_json::from_slice(&body)) {
        (false, Err(_)) => Err(Problem::new(400, "the body is not JSON")),
        (false, Ok(_)) if !is_json => Err(Problem::new(400, "the content type is not application/json")),
        (_, parsed) => api.state().answer(&ApiRequest {
            method: parts.method.as_str(),
            path: parts.uri.path().split('/').skip(1).collect(),
            query: parts.uri.query().unwrap_or_default(),
            authorization: header("authorization"),
            body: parsed.unwrap_or_default(),
        }),
    };
    let (status, reply, problem) = match answer {
        Ok((status, reply)) => (status, reply, None),
        Err(Problem(status, message)) => (status, json!({ "message": message }), Some(message)),
    };
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    api.0.calls.lock().unwrap_or_else(PoisonError::into_inner).push(ApiCall { method, path, status, problem });
    let response = json_text(status, if reply.is_null() { String::new() } else { reply.to_string() });
    match fault {
        Some(fault) if fault.is_after_work() => {
            fault.wait().await;
            if !fault.replaces_response() {
                return response;
            }
            let body = to_bytes(response.into_body(), MAX_BODY).await.unwrap_or_default();
            fault.answer_with(Some(body), error_response)
        }
        _ => response,
    }
}

fn error_response(status: u16) -> Response {
    json_text(status, json!({ "message": "An injected fault." }).to_string())
}
