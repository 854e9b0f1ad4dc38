//! Dashboard, which opens by single sign-on from the marketplace.

mod page;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_extra::extract::CookieJar;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tower_sessions::Session;

use crate::error_response::method_not_allowed;
use crate::store::{Resource, Store};

/// URLs that the dashboard shows.
#[derive(Clone)]
pub(crate) struct Urls {
    /// URL of the counters API.
    pub(crate) counters: String,
    /// Address of a sandbox, in place of Heroku's dashboard.
    pub(crate) heroku: Option<String>,
}

#[derive(Clone)]
struct Dashboard {
    store: Store,
    urls: Urls,
}

pub(crate) fn routes(store: Store, urls: Urls) -> Router {
    let asset = |kind: &'static str, text: &'static str| get(async move || ([(header::CONTENT_TYPE, kind)], text));
    Router::new()
        .route("/", get(async || page::welcome()))
        .route("/dashboard", get(dashboard))
        .route("/dashboard/counters", get(counters))
        .route("/tally.css", asset("text/css; charset=utf-8", include_str!("../../assets/tally.css")))
        .route("/tally.js", asset("text/javascript; charset=utf-8", include_str!("../../assets/tally.js")))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(map_response(with_security_headers))
        .with_state(Dashboard { store, urls })
}

/// Security headers of every page. The pages have no forms, run only the script of this site, and no other site may frame
/// them. The dashboard shows the customer's token, so that it must not be cached.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

async fn with_security_headers(mut response: Response) -> Response {
    response.headers_mut().extend(SECURITY_HEADERS);
    response
}

async fn dashboard(State(dashboard): State<Dashboard>, session: Session, cookies: CookieJar) -> Response {
    match signed_in(&dashboard.store, &session).await {
        Ok(Some(resource)) => match dashboard.store.counters(&resource).await {
            Ok(counters) => {
                page::dashboard(&resource, &counters, app_name(&cookies).as_deref(), &dashboard.urls).into_response()
            }
            Err(error) => unavailable(&error),
        },
        Ok(None) => (StatusCode::FORBIDDEN, page::not_signed_in()).into_response(),
        Err(error) => unavailable(&*error),
    }
}

/// `GET /dashboard/counters`: the counters only, for the script of an open page.
async fn counters(State(dashboard): State<Dashboard>, session: Session) -> Response {
    match signed_in(&dashboard.store, &session).await {
        Ok(Some(resource)) => match dashboard.store.counters(&resource).await {
            Ok(counters) => page::counters(&resource, &counters).into_response(),
            Err(error) => unavailable(&error),
        },
        Ok(None) => StatusCode::FORBIDDEN.into_response(),
        Err(error) => unavailable(&*error),
    }
}

/// Returns the resource of the session, unless it was deprovisioned since.
async fn signed_in(store: &Store, session: &Session) -> anyhow::Result<Option<Resource>> {
    let (Some(addon), Some(key)) = (session.get::<String>("addon").await?, session.get::<String>("resource").await?)
    else {
        return Ok(None);
    };
    Ok(store.find(&addon, &key).await?)
}

fn unavailable(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "cannot show the dashboard");
    (StatusCode::SERVICE_UNAVAILABLE, page::unavailable()).into_response()
}

/// Returns the name of the customer's app from the marketplace's nav-data cookie.
fn app_name(cookies: &CookieJar) -> Option<String> {
    #[derive(Deserialize)]
    struct NavData {
        appname: String,
    }

    let data = cookies.get("heroku-nav-data")?.value().trim_end_matches('=');
    let json = URL_SAFE_NO_PAD.decode(data).ok()?;
    serde_json::from_slice(&json).ok().map(|NavData { appname }| appname)
}
