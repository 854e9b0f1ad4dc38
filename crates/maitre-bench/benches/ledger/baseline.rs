//! The baseline: a provision recorded by hand-written code that does the minimum that is still correct.
//!
//! One row per resource, unique by its uuid: inserted before the work, so that a duplicate is detected, and completed after
//! it, each in its own commit. A duplicate of a completed provision gets the first reply; a duplicate of a running one gets
//! 503 and is retried. The baseline omits everything else that the ledger does: duplicates that wait for the running
//! operation, takeover by another process, leases and fencing tokens, encryption, a history, and the order of operations per
//! resource, so that the cost of all that shows. Its work runs in the request's own future.
//!
//! Both use the same settings: the runtime's threads, WAL with its checkpoints and full sync, prepared statements, and on
//! Postgres a pool of [`CONNECTIONS`]. On SQLite the baseline has a single connection, which is the fastest: with more, the
//! connections wait for each other asleep, which costs more than half of the throughput.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use axum_extra::TypedHeader;
use headers::Authorization;
use headers::authorization::Basic;
use maitre_bench_support::Outcome;
use maitre_bench_support::requests::{PASSWORD, USER};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Connections of a pool.
pub(crate) const CONNECTIONS: u32 = 8;

const TABLE: &str = "CREATE TABLE installs (resource TEXT PRIMARY KEY, plan TEXT NOT NULL, reply TEXT)";
const BEGIN: &str = "INSERT INTO installs (resource, plan) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const END: &str = "UPDATE installs SET reply = $2 WHERE resource = $1";
const FIND: &str = "SELECT plan, reply FROM installs WHERE resource = $1";

#[derive(Clone)]
enum Installs {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Installs {
    async fn open(url: &str) -> Result<Self, sqlx::Error> {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)?
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .pragma("wal_autocheckpoint", "4000");
            let pool = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
            let pool = pool.connect_with(options).await?;
            sqlx::query(TABLE).execute(&pool).await?;
            Ok(Self::Sqlite(pool))
        } else {
            let pool =
                PgPoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false).connect(url).await?;
            sqlx::query(TABLE).execute(&pool).await?;
            Ok(Self::Postgres(pool))
        }
    }

    /// Returns whether this is the first request.
    async fn begin(&self, resource: &str, plan: &str) -> Result<bool, sqlx::Error> {
        let rows = match self {
            Self::Sqlite(pool) => sqlx::query(BEGIN).bind(resource).bind(plan).execute(pool).await?.rows_affected(),
            Self::Postgres(pool) => sqlx::query(BEGIN).bind(resource).bind(plan).execute(pool).await?.rows_affected(),
        };
        Ok(rows == 1)
    }

    async fn end(&self, resource: &str, reply: &str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(pool) => sqlx::query(END).bind(resource).bind(reply).execute(pool).await.map(drop),
            Self::Postgres(pool) => sqlx::query(END).bind(resource).bind(reply).execute(pool).await.map(drop),
        }
    }

    async fn find(&self, resource: &str) -> Result<(String, Option<String>), sqlx::Error> {
        match self {
            Self::Sqlite(pool) => sqlx::query_as(FIND).bind(resource).fetch_one(pool).await,
            Self::Postgres(pool) => sqlx::query_as(FIND).bind(resource).fetch_one(pool).await,
        }
    }
}

struct AppState {
    user: [u8; 32],
    password: [u8; 32],
    installs: Installs,
}

pub(crate) async fn app(url: &str) -> Outcome<Router> {
    let state = AppState { user: sha256(USER), password: sha256(PASSWORD), installs: Installs::open(url).await? };
    Ok(Router::new()
        .route("/heroku/resources", post(provision))
        .layer(DefaultBodyLimit::max(256 * 1024))
        .with_state(Arc::new(state)))
}

fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Caller with the add-on's credentials, authenticated before the body is read.
struct Heroku;

impl FromRequestParts<Arc<AppState>> for Heroku {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<AppState>) -> Result<Self, Response> {
        let sent = TypedHeader::<Authorization<Basic>>::from_request_parts(parts, state).await;
        let admitted = sent.is_ok_and(|TypedHeader(Authorization(sent))| {
            let user = state.user.ct_eq(&sha256(sent.username()));
            (user & state.password.ct_eq(&sha256(sent.password()))).into()
        });
        let challenge = [(WWW_AUTHENTICATE, r#"Basic realm="Add-on API""#)];
        if admitted { Ok(Self) } else { Err((StatusCode::UNAUTHORIZED, challenge).into_response()) }
    }
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "all documented fields are parsed, also those that this add-on does not use")]
struct Provision {
    uuid: Uuid,
    name: Option<String>,
    plan: String,
    region: Option<String>,
    callback_url: Option<String>,
    oauth_grant: Option<Grant>,
    options: Option<BTreeMap<String, String>>,
    log_input_url: Option<String>,
    log_drain_token: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct Grant {
    code: String,
    #[serde(rename = "type")]
    kind: String,
    expires_at: String,
}

async fn provision(
    State(state): State<Arc<AppState>>,
    _: Heroku,
    Json(request): Json<Provision>,
) -> Result<Response, Unavailable> {
    let resource = request.uuid.to_string();
    if state.installs.begin(&resource, &request.plan).await? {
        let reply = work(&resource).to_string();
        state.installs.end(&resource, &reply).await?;
        return Ok(raw(reply));
    }
    Ok(match state.installs.find(&resource).await? {
        (plan, _) if plan != request.plan => {
            let message = json!({ "message": "This add-on was already provisioned with different settings." });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(message)).into_response()
        }
        (_, Some(reply)) => raw(reply),
        (_, None) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    })
}

fn work(resource: &str) -> Value {
    json!({
        "id": resource,
        "config": {
            "TALLY_URL": format!("https://tally.example/counters/{resource}"),
            "TALLY_TOKEN": "9b1e7c04d5f24e0fa6d8c3b2a1907f5e",
        },
        "message": "Tally is ready.",
    })
}

fn raw(reply: String) -> Response {
    ([("content-type", "application/json")], reply).into_response()
}

struct Unavailable;

impl From<sqlx::Error> for Unavailable {
    fn from(error: sqlx::Error) -> Self {
        eprintln!("the database failed: {error}");
        Self
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}
