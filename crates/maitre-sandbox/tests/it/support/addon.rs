//! Test add-on that records its calls. It replies as a correct add-on unless a test sets its replies.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use maitre_testkit::sign;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{CLIENT_SECRET, PASSWORD, SLUG};

/// Reply to the next lifecycle call of a method.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Status and body.
    With(u16, Value),
    /// 202, followed by the calls that complete the provision: token, config vars, `actions/provision`.
    Accept,
}

pub(crate) struct TestAddon {
    pub(crate) url: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<AddonState>,
}

#[derive(Default)]
struct AddonState {
    calls: Vec<ReceivedCall>,
    replies: HashMap<String, VecDeque<Reply>>,
    ids: HashMap<String, String>,
    deprovisioned: HashSet<String>,
    /// Whether the add-on ignores credentials and creates a new resource for every call.
    misbehaves: bool,
    /// Attributes of the session cookie. Without one, the add-on has no dashboard.
    session: Option<&'static str>,
    api_url: String,
}

/// Call to the add-on.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedCall {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl ReceivedCall {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn is_authorized(&self) -> bool {
        self.headers.get(header::AUTHORIZATION).is_some_and(|value| value == &sign::basic(SLUG, PASSWORD))
    }
}

impl TestAddon {
    pub(crate) async fn start() -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn start_at(socket: TcpListener) -> Self {
        let url = format!("http://{}", socket.local_addr().unwrap());
        let inner = Arc::new(Inner::default());
        let app = Router::new().fallback(reply).with_state(inner.clone());
        let task = tokio::spawn(async move { axum::serve(socket, app).await.unwrap() });
        Self { url, inner, task }
    }

    /// Sets the base URL of Heroku's API.
    pub(crate) fn set_api_url(&self, url: &str) {
        url.clone_into(&mut self.inner.state().api_url);
    }

    /// Sets the next replies to lifecycle calls of this method.
    pub(crate) fn reply_with(&self, method: &str, replies: impl IntoIterator<Item = Reply>) {
        self.inner.state().replies.entry(method.to_owned()).or_default().extend(replies);
    }

    /// Opens a session at sign-on, whose cookie has these attributes, and requires it on the dashboard.
    pub(crate) fn open_sessions(&self, attributes: &'static str) {
        self.inner.state().session = Some(attributes);
    }

    pub(crate) fn misbehave(&self) {
        self.inner.state().misbehaves = true;
    }

    pub(crate) fn calls(&self) -> Vec<ReceivedCall> {
        self.inner.state().calls.clone()
    }

    pub(crate) fn calls_of(&self, method: &str) -> Vec<ReceivedCall> {
        let mut calls = self.calls();
        calls.retain(|call| call.method == method);
        calls
    }
}

impl Drop for TestAddon {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, AddonState> {
        self.state.lock().unwrap()
    }
}

async fn reply(State(addon): State<Arc<Inner>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let (method, path) = (method.to_string(), uri.path().to_owned());
    let call = ReceivedCall { method: method.clone(), path: path.clone(), headers, body: body.to_vec() };
    let reply = {
        let mut state = addon.state();
        state.calls.push(call.clone());
        let is_lifecycle = path.starts_with("/heroku/resources");
        if is_lifecycle && !call.is_authorized() && !state.misbehaves {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        state.replies.get_mut(&method).filter(|_| is_lifecycle).and_then(VecDeque::pop_front)
    };
    match reply {
        Some(Reply::With(status, body)) => return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response(),
        Some(Reply::Accept) => {
            let body = call.json();
            tokio::spawn(complete(addon.clone(), body.clone()));
            return (StatusCode::ACCEPTED, Json(json!({ "id": body["uuid"], "message": "Soon." }))).into_response();
        }
        None => {}
    }
    default_reply(&mut addon.state(), &call)
}

fn default_reply(state: &mut AddonState, call: &ReceivedCall) -> Response {
    let id = call.path.rsplit('/').next().unwrap_or_default().to_owned();
    let uuid = call.json()["uuid"].as_str().map_or_else(|| state.uuid_of(&id), str::to_owned);
    match (call.method.as_str(), call.path.as_str()) {
        ("POST", "/sso") if state.session.is_some() => {
            let cookie = format!("session=1; {}", state.session.unwrap_or_default());
            (StatusCode::FOUND, [(header::LOCATION, "/dashboard".to_owned()), (header::SET_COOKIE, cookie)])
                .into_response()
        }
        ("GET", "/dashboard") if state.session.is_some() => {
            let is_open = call.headers.get(header::COOKIE).is_some_and(|cookies| cookies == "session=1");
            if is_open { StatusCode::OK.into_response() } else { StatusCode::FORBIDDEN.into_response() }
        }
        ("POST", "/sso") => (StatusCode::FOUND, [(header::LOCATION, "/dashboard")]).into_response(),
        ("POST", "/heroku/resources") if state.deprovisioned.contains(&uuid) => StatusCode::GONE.into_response(),
        ("POST", "/heroku/resources") => {
            let number = state.ids.len() + state.calls.len();
            let new_id = format!("lantern-{number}");
            let id = if state.misbehaves { new_id } else { state.ids.get(&uuid).cloned().unwrap_or(new_id) };
            state.ids.insert(uuid.clone(), id.clone());
            let config = json!({ "LANTERN_URL": format!("https://lantern.example/{uuid}") });
            Json(json!({ "id": id, "config": config, "message": "Your lantern is lit." })).into_response()
        }
        ("POST", "/heroku/notifications") => StatusCode::NO_CONTENT.into_response(),
        ("PUT", _) => Json(json!({ "message": "Brighter." })).into_response(),
        ("DELETE", _) => {
            state.deprovisioned.insert(uuid);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

impl AddonState {
    fn uuid_of(&self, id: &str) -> String {
        let mut known = self.ids.iter();
        known.find(|(_, known)| *known == id).map_or_else(|| id.to_owned(), |(uuid, _)| uuid.clone())
    }
}

/// Completes an accepted provision, as Heroku's article on asynchronous provisioning describes.
async fn complete(addon: Arc<Inner>, provision: Value) {
    let (api, uuid) = (addon.state().api_url.clone(), provision["uuid"].as_str().unwrap().to_owned());
    let http = reqwest::Client::builder().no_proxy().user_agent("lantern/1.0").build().unwrap();
    let code = provision["oauth_grant"]["code"].as_str().unwrap().to_owned();
    let form = [("grant_type", "authorization_code"), ("code", &code), ("client_secret", CLIENT_SECRET)];
    let token: Value = http.post(format!("{api}/oauth/token")).form(&form).send().await.unwrap().json().await.unwrap();
    let token = token["access_token"].as_str().unwrap().to_owned();
    let call = |method: &str, path: &str| {
        let url = format!("{api}/addons/{uuid}{path}");
        let accept = "application/vnd.heroku+json; version=3";
        http.request(method.parse().unwrap(), url).bearer_auth(&token).header("accept", accept)
    };
    let config = json!({ "config": [{ "name": "LANTERN_URL", "value": "https://lantern.example/later" }] });
    assert_eq!(call("PATCH", "/config").json(&config).send().await.unwrap().status(), 200);
    assert_eq!(call("POST", "/actions/provision").send().await.unwrap().status(), 200);
}
