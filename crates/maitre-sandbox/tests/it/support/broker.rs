//! Service broker that records its calls. It replies as a correct synchronous broker unless a test sets its replies.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use maitre_testkit::sign;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{PASSWORD, SLUG};

/// Replies that a test has set, by call.
type Replies = HashMap<String, VecDeque<(u16, Value)>>;

pub(crate) struct TestBroker {
    pub(crate) url: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Inner {
    calls: Mutex<Vec<(String, Value)>>,
    replies: Mutex<Replies>,
}

impl TestBroker {
    pub(crate) async fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/osb", socket.local_addr().unwrap());
        let inner = Arc::new(Inner::default());
        let app = Router::new().fallback(reply).with_state(inner.clone());
        let task = tokio::spawn(async move { axum::serve(socket, app).await.unwrap() });
        Self { url, inner, task }
    }

    /// Sets the next replies to a call, such as `PUT instance` or `GET binding operation`.
    pub(crate) fn reply_with(&self, call: &str, replies: impl IntoIterator<Item = (u16, Value)>) {
        self.inner.replies.lock().unwrap().entry(call.to_owned()).or_default().extend(replies);
    }

    /// Returns the calls so far, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.inner.calls.lock().unwrap().iter().map(|(call, _)| call.clone()).collect()
    }

    /// Returns the bodies of this call.
    pub(crate) fn bodies(&self, call: &str) -> Vec<Value> {
        let calls = self.inner.calls.lock().unwrap();
        calls.iter().filter(|(known, _)| known == call).map(|(_, body)| body.clone()).collect()
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn binding() -> Value {
    json!({ "credentials": { "url": "https://lantern.example", "port": 1 } })
}

fn catalog() -> Value {
    let plan = |name: &str| json!({ "id": format!("plan-{name}"), "name": name, "description": "A plan" });
    let mut slow = plan("slow");
    slow["maximum_polling_duration"] = 60.into();
    slow["maintenance_info"] = json!({ "version": "1.2.0" });
    let other = json!({ "id": "other", "name": "other", "description": "Another service", "bindable": false,
        "plans": [{ "id": "other-basic", "name": "bright", "description": "A plan" }] });
    json!({ "services": [
        { "id": "lantern", "name": "lantern", "description": "A service", "bindable": true,
          "plans": [plan("basic"), plan("bright"), slow] },
        other,
    ] })
}

async fn reply(
    State(broker): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let target = match uri.path().split('/').skip(3).collect::<Vec<_>>()[..] {
        ["catalog"] => "catalog",
        ["service_instances", _] => "instance",
        ["service_instances", _, "last_operation"] => "operation",
        ["service_instances", _, "service_bindings", _] => "binding",
        ["service_instances", _, "service_bindings", _, "last_operation"] => "binding operation",
        _ => "other",
    };
    let query = uri.query().unwrap_or_default();
    let is_complete = target == "catalog" || query.contains("service_id=lantern&plan_id=plan-") || !body.is_empty();
    if headers.get("authorization").is_none_or(|value| value != &sign::basic(SLUG, PASSWORD)) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if headers.get("x-broker-api-version").is_none_or(|value| value != "2.17") || !is_complete {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let call = format!("{method} {target}");
    broker.calls.lock().unwrap().push((call.clone(), serde_json::from_str(&body).unwrap_or_default()));
    let set = broker.replies.lock().unwrap().get_mut(&call).and_then(VecDeque::pop_front);
    let (status, body) = set.unwrap_or_else(|| match call.as_str() {
        "GET catalog" => (200, catalog()),
        "PUT instance" => (201, json!({ "dashboard_url": "https://lantern.example/i" })),
        "PUT binding" => (201, binding()),
        "GET binding" => (200, binding()),
        "GET operation" | "GET binding operation" => (200, json!({ "state": "succeeded" })),
        _ => (200, json!({})),
    });
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}
