use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use maitre::{Addon, CloudControl, Heroku, Marketplace, Opperator};
use maitre_testkit::{self as testkit, Browser};
use serde_json::{Map, Value};
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::{Server, Vendor};

pub(crate) const SLUG: &str = "lantern";
pub(crate) const PASSWORD: &str = "s3cr3t-example";
pub(crate) const SALT: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// Opperator's shared secret.
pub(crate) const SECRET: &str = "melon-9";

/// A marketplace's router and the test kit's client for it.
pub(crate) trait Platform: Marketplace + Sized {
    type Client;
    const PREFIX: &'static str;
    fn router(addon: Addon<Self>) -> Router;
    fn client(root: &str) -> Self::Client;
}

impl Platform for Heroku {
    type Client = testkit::Heroku;
    const PREFIX: &'static str = "/heroku";
    fn router(addon: Addon<Self>) -> Router {
        maitre::heroku(addon)
    }
    fn client(root: &str) -> testkit::Heroku {
        testkit::Heroku::new(root, SLUG, PASSWORD, SALT)
    }
}

impl Platform for CloudControl {
    type Client = testkit::CloudControl;
    const PREFIX: &'static str = "/cloudcontrol";
    fn router(addon: Addon<Self>) -> Router {
        maitre::cloudcontrol(addon)
    }
    fn client(root: &str) -> testkit::CloudControl {
        testkit::CloudControl::new(root, SLUG, PASSWORD, SALT)
    }
}

impl Platform for Opperator {
    type Client = testkit::Opperator;
    const PREFIX: &'static str = "/opperator";
    fn router(addon: Addon<Self>) -> Router {
        maitre::opperator(addon)
    }
    fn client(root: &str) -> testkit::Opperator {
        testkit::Opperator::new(root, SECRET)
    }
}

/// Running app: one add-on, nested in an app with sessions, and the marketplace that calls it.
pub(crate) struct App<M: Platform> {
    pub(crate) vendor: Vendor,
    pub(crate) addon: Addon<M>,
    pub(crate) server: Server,
    /// Client that sends the marketplace's requests.
    pub(crate) client: M::Client,
}

impl<M: Platform> App<M> {
    /// Starts an app for this marketplace with a changed add-on.
    pub(crate) async fn start(marketplace: M, change: impl FnOnce(Addon<M>) -> Addon<M>) -> Self {
        Self::start_in(marketplace, change, host).await
    }

    /// Starts an app whose router is wrapped by `host`.
    pub(crate) async fn start_in(
        marketplace: M,
        change: impl FnOnce(Addon<M>) -> Addon<M>,
        host: impl FnOnce(Router) -> Router,
    ) -> Self {
        let vendor = Vendor::default();
        let addon = change(Addon::new(marketplace, vendor.clone()));
        let server = Server::start(host(Router::new().nest(M::PREFIX, M::router(addon.clone())))).await;
        let client = M::client(&server.url(M::PREFIX));
        Self { vendor, addon, server, client }
    }

    /// Returns a browser with an empty cookie jar.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.server.url(""))
    }
}

impl App<Heroku> {
    /// Starts a Heroku app with a changed add-on.
    pub(crate) async fn heroku(change: impl FnOnce(Addon<Heroku>) -> Addon<Heroku>) -> Self {
        Self::start(Heroku::new(SLUG, PASSWORD, SALT).expect("credentials"), change).await
    }
}

/// Starts a Heroku app with the documented credentials.
pub(crate) async fn heroku() -> App<Heroku> {
    App::heroku(|addon| addon).await
}

/// Starts a cloudControl app.
pub(crate) async fn cloudcontrol() -> App<CloudControl> {
    App::start(CloudControl::new(SLUG, PASSWORD, SALT).expect("credentials"), |addon| addon).await
}

/// Starts an Opperator app. Up to 3 seats are `basic`, up to 100 `premium`; more are refused.
pub(crate) async fn opperator() -> App<Opperator> {
    let plan = |features: &Map<String, Value>| {
        let seats = features.get("seats").map_or(Some(1), |seats| match seats {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        });
        match seats {
            Some(0..=3) => Some("basic".to_owned()),
            Some(4..=100) => Some("premium".to_owned()),
            _ => None,
        }
    };
    App::start(Opperator::new(SLUG, SECRET, plan).expect("a secret"), |addon| addon).await
}

/// Adds the host's own page and the session layer to the app.
pub(crate) fn host(app: Router) -> Router {
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_same_site(SameSite::Lax);
    app.route("/dashboard", get(dashboard)).layer(sessions)
}

/// Shows the values of the session; 401 without a session.
pub(crate) async fn dashboard(session: Session) -> axum::response::Response {
    let mut values = Map::new();
    for key in ["widget", "planted"] {
        if let Ok(Some(value)) = session.get_value(key).await {
            values.insert(key.to_owned(), value);
        }
    }
    if values.is_empty() {
        return axum::http::StatusCode::UNAUTHORIZED.into_response();
    }
    Json(Value::Object(values)).into_response()
}
