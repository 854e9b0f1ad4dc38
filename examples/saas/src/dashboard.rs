//! Dashboard, which opens by single sign-on from the marketplace.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_extra::extract::CookieJar;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use tower_sessions::Session;

use crate::error_response::method_not_allowed;
use crate::plan::Plan;
use crate::store::{Counter, Resource, Store};

pub(crate) fn routes(store: Store) -> Router {
    Router::new()
        .route("/", get(welcome))
        .route("/dashboard", get(dashboard))
        .route("/tally.css", get(async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(map_response(with_security_headers))
        .with_state(store)
}

/// Security headers of every page. The pages have no scripts and no forms, and no other site may frame them.
const SECURITY_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

async fn with_security_headers(mut response: Response) -> Response {
    response.headers_mut().extend(SECURITY_HEADERS);
    response
}

async fn welcome() -> Markup {
    page(
        "Tally",
        &html! {
            h1 { "Tally" }
            p { "Hosted counters, sold as an add-on. Open your dashboard from the marketplace where you added Tally." }
        },
    )
}

async fn dashboard(State(store): State<Store>, session: Session, cookies: CookieJar) -> Response {
    match signed_in(&store, &session).await {
        Ok(Some(resource)) => match store.counters(&resource).await {
            Ok(counters) => show(&resource, &counters, app_name(&cookies).as_deref()).into_response(),
            Err(error) => unavailable(&error),
        },
        Ok(None) => not_signed_in().into_response(),
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

fn show(resource: &Resource, counters: &[Counter], app: Option<&str>) -> Markup {
    let max_counters = Plan::parse(&resource.plan).map_or(0, Plan::max_counters);
    page(
        "Your counters",
        &html! {
            // older checkers expect this element; the name is untrusted, and maud escapes it
            div #heroku-header { @if let Some(app) = app { "Tally for " strong { (app) } } @else { "Tally" } }
            h1 { "Your counters" }
            p { "Plan " strong { (resource.plan) } ", " (counters.len()) " of " (max_counters) " counters used." }
            @if counters.is_empty() {
                p { "You have no counters yet. To create one from your app:" }
                pre { code { "curl -X POST -H \"Authorization: Bearer $TALLY_TOKEN\" $TALLY_URL/visits" } }
            } @else {
                table {
                    thead { tr { th scope="col" { "Counter" } th scope="col" .number { "Value" } } }
                    tbody {
                        @for counter in counters {
                            tr { td { (counter.name) } td .number { (counter.value) } }
                        }
                    }
                }
            }
        },
    )
}

fn not_signed_in() -> (StatusCode, Markup) {
    let page = page(
        "You are not signed in",
        &html! {
            h1 { "You are not signed in" }
            p { "Open Tally from the marketplace where you added it." }
        },
    );
    (StatusCode::FORBIDDEN, page)
}

fn unavailable(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "cannot show the dashboard");
    let page = page("Not available", &html! { h1 { "Not available" } p { "Please try again in a few minutes." } });
    (StatusCode::SERVICE_UNAVAILABLE, page).into_response()
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

fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href="data:,"; // no icon, and no request for one
                link rel="stylesheet" href="/tally.css";
            }
            body { main { (body) } }
        }
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { font: 1.0625rem/1.55 system-ui, sans-serif; margin: 0; }
main { max-width: 40rem; margin: 0 auto; padding: 2rem 1.25rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 1.5rem 0 .5rem; }
#heroku-header { border-bottom: 1px solid var(--line); padding-bottom: .75rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .5rem .25rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .375rem; }
";
