//! What customers pay for: `POST /counters/{name}` counts, `GET /counters` lists.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_extra::TypedHeader;
use headers::Authorization;
use headers::authorization::Bearer;
use serde_json::{Map, Value, json};

use crate::plan::Plan;
use crate::store::{Install, Store};

const LONGEST_NAME: usize = 100;

pub(crate) fn routes(store: Store) -> Router {
    Router::new().route("/counters", get(list)).route("/counters/{name}", post(count)).with_state(store)
}

type Token = Option<TypedHeader<Authorization<Bearer>>>;

async fn list(State(store): State<Store>, token: Token) -> Result<Json<Map<String, Value>>, Answer> {
    let install = customer(&store, token).await?;
    let counters = store.counters(&install).await?;
    Ok(Json(counters.into_iter().map(|counter| (counter.name, counter.value.into())).collect()))
}

async fn count(State(store): State<Store>, Path(name): Path<String>, token: Token) -> Result<Json<Value>, Answer> {
    let install = customer(&store, token).await?;
    if name.len() > LONGEST_NAME {
        return Err(Answer(StatusCode::UNPROCESSABLE_ENTITY, "A counter's name has at most 100 bytes."));
    }
    let room = Plan::named(&install.plan).map_or(0, Plan::room);
    let full = Answer(StatusCode::UNPROCESSABLE_ENTITY, "Your plan has no room for another counter.");
    let counter = store.count(&install, &name, room).await?.ok_or(full)?;
    Ok(Json(json!({ counter.name: counter.value })))
}

async fn customer(store: &Store, token: Token) -> Result<Install, Answer> {
    let refused = || Answer(StatusCode::UNAUTHORIZED, "Send TALLY_TOKEN as a bearer token.");
    let TypedHeader(Authorization(bearer)) = token.ok_or_else(refused)?;
    store.find_by_token(bearer.token()).await?.ok_or_else(refused)
}

struct Answer(StatusCode, &'static str);

impl From<sqlx::Error> for Answer {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the store failed");
        Self(StatusCode::SERVICE_UNAVAILABLE, "Tally cannot count at the moment.")
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self(status, message) = self;
        let challenge = (status == StatusCode::UNAUTHORIZED).then_some([("www-authenticate", "Bearer")]);
        (status, challenge, Json(json!({ "message": message }))).into_response()
    }
}
