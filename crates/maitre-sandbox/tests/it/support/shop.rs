//! An add-on that remembers what it was asked, and answers as it was told to or else as it should.

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

/// What it does with the next call of a method.
#[derive(Clone)]
pub(crate) enum Act {
    /// This status and this body.
    Answer(u16, Value),
    /// 202, and then all that belongs to it: token, config vars, `actions/provision`.
    Later,
}

pub(crate) struct Shop {
    pub(crate) url: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    seen: Vec<Seen>,
    acts: HashMap<String, VecDeque<Act>>,
    ids: HashMap<String, String>,
    removed: HashSet<String>,
    /// Makes something new for every call, whoever calls.
    careless: bool,
    api: String,
}

/// A call as it came in whole.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn is_authorized(&self) -> bool {
        self.headers.get(header::AUTHORIZATION).is_some_and(|value| value == &sign::basic(SLUG, PASSWORD))
    }
}

impl Shop {
    pub(crate) async fn start() -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn start_at(socket: TcpListener) -> Self {
        let url = format!("http://{}", socket.local_addr().unwrap());
        let inner = Arc::new(Inner::default());
        let app = Router::new().fallback(answer).with_state(inner.clone());
        let task = tokio::spawn(async move { axum::serve(socket, app).await.unwrap() });
        Self { url, inner, task }
    }

    /// What it takes for Heroku's API.
    pub(crate) fn knows(&self, api: &str) {
        api.clone_into(&mut self.inner.state().api);
    }

    pub(crate) fn tell(&self, method: &str, acts: impl IntoIterator<Item = Act>) {
        self.inner.state().acts.entry(method.to_owned()).or_default().extend(acts);
    }

    pub(crate) fn be_careless(&self) {
        self.inner.state().careless = true;
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner.state().seen.clone()
    }

    pub(crate) fn seen_of(&self, method: &str) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|seen| seen.method == method);
        seen
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, Inside> {
        self.state.lock().unwrap()
    }
}

async fn answer(State(shop): State<Arc<Inner>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let (method, path) = (method.to_string(), uri.path().to_owned());
    let seen = Seen { method: method.clone(), path: path.clone(), headers, body: body.to_vec() };
    let act = {
        let mut state = shop.state();
        state.seen.push(seen.clone());
        let is_lifecycle = path.starts_with("/heroku/resources");
        if is_lifecycle && !seen.is_authorized() && !state.careless {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        state.acts.get_mut(&method).filter(|_| is_lifecycle).and_then(VecDeque::pop_front)
    };
    match act {
        Some(Act::Answer(status, body)) => return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response(),
        Some(Act::Later) => {
            let body = seen.json();
            tokio::spawn(finish(shop.clone(), body.clone()));
            return (StatusCode::ACCEPTED, Json(json!({ "id": body["uuid"], "message": "Soon." }))).into_response();
        }
        None => {}
    }
    honest(&mut shop.state(), &seen)
}

fn honest(state: &mut Inside, seen: &Seen) -> Response {
    let named = seen.path.rsplit('/').next().unwrap_or_default().to_owned();
    let uuid = seen.json()["uuid"].as_str().map_or_else(|| state.uuid_of(&named), str::to_owned);
    match (seen.method.as_str(), seen.path.as_str()) {
        ("POST", "/sso") => (StatusCode::FOUND, [(header::LOCATION, "/dashboard")]).into_response(),
        ("POST", "/heroku/resources") if state.removed.contains(&uuid) => StatusCode::GONE.into_response(),
        ("POST", "/heroku/resources") => {
            let number = state.ids.len() + state.seen.len();
            let made = format!("lantern-{number}");
            let id = if state.careless { made } else { state.ids.get(&uuid).cloned().unwrap_or(made) };
            state.ids.insert(uuid.clone(), id.clone());
            let config = json!({ "LANTERN_URL": format!("https://lantern.example/{uuid}") });
            Json(json!({ "id": id, "config": config, "message": "Your lantern is lit." })).into_response()
        }
        ("PUT", _) => Json(json!({ "message": "Brighter." })).into_response(),
        ("DELETE", _) => {
            state.removed.insert(uuid);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Inside {
    fn uuid_of(&self, id: &str) -> String {
        let mut known = self.ids.iter();
        known.find(|(_, known)| *known == id).map_or_else(|| id.to_owned(), |(uuid, _)| uuid.clone())
    }
}

/// What follows a 202, as Heroku's article on asynchronous provisioning asks for it.
async fn finish(shop: Arc<Inner>, order: Value) {
    let (api, uuid) = (shop.state().api.clone(), order["uuid"].as_str().unwrap().to_owned());
    let http = reqwest::Client::builder().no_proxy().user_agent("lantern/1.0").build().unwrap();
    let code = order["oauth_grant"]["code"].as_str().unwrap().to_owned();
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
