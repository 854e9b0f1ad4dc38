//! Routes for load balancers: whether the process lives, and whether it is ready for requests.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maitre_ledger::Ledger;

/// Builds the routes `GET /live` and `GET /ready`, which need no credentials.
///
/// `/live` answers 200 as long as the process responds, and touches nothing else: a database that is down is not a reason to
/// restart the process. `/ready` answers 200 if the ledger's database responds within two seconds and has the tables of
/// this program, with the age of the oldest open operation in seconds; otherwise 503. It answers 503 from the first moment
/// of a shutdown by [`serve`](crate::serve()); see [`Serve::drain_delay`](crate::Serve::drain_delay).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use axum::{body::Body, http::Request};
/// # use tower::ServiceExt as _;
/// # let folder = std::env::temp_dir().join(format!("maitre-ready-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let url = format!("sqlite://{}", folder.join("maitre.db").display());
/// # maitre::Ledger::migrate(&url).await?;
/// let ledger = maitre::Ledger::open(&url).await?;
/// let app: axum::Router = axum::Router::new().merge(maitre::health(&ledger));
///
/// let get = |path: &str| app.clone().oneshot(Request::get(path).body(Body::empty()).expect("a request"));
/// assert_eq!(get("/ready").await?.status(), 200);
/// ledger.begin_shutdown();
/// assert_eq!(get("/ready").await?.status(), 503);
/// assert_eq!(get("/live").await?.status(), 200);
/// # ledger.close().await;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
pub fn health<S>(ledger: &Ledger) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/live", get(async || answer(StatusCode::OK, r#"{"status":"live"}"#.to_owned())))
        .route("/ready", get(ready).with_state(ledger.clone()))
}

async fn ready(State(ledger): State<Ledger>) -> Response {
    if ledger.is_shutting_down() {
        return answer(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"shutting_down"}"#.to_owned());
    }
    match ledger.check_health().await {
        Ok(age) => {
            let age = age.as_secs();
            answer(StatusCode::OK, format!(r#"{{"status":"ready","oldest_open_operation_age_seconds":{age}}}"#))
        }
        Err(error) => {
            tracing::warn!(error = maitre_core::error_chain(&error), "not ready: the ledger cannot be used");
            answer(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"unavailable"}"#.to_owned())
        }
    }
}

fn answer(status: StatusCode, body: String) -> Response {
    let content_type = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let no_store = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (status, [content_type, no_store], body).into_response()
}
