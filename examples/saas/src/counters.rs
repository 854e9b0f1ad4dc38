//! API of the product: `POST /counters/{name}` increments a counter, `GET /counters` lists all.

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
use crate::store::{Resource, Store};

const MAX_NAME_LENGTH: usize = 100;

pub(crate) fn routes(store: Store) -> Router {
    Router::new().route("/counters", get(list)).route("/counters/{name}", post(increment)).with_state(store)
}

type Token = Option<TypedHeader<Authorization<Bearer>>>;

async fn list(State(store): State<Store>, token: Token) -> Result<Json<Map<String, Value>>, ErrorResponse> {
    let resource = authenticate(&store, token).await?;
    let counters = store.counters(&resource).await?;
    Ok(Json(counters.into_iter().map(|counter| (counter.name, counter.value.into())).collect()))
}

async fn increment(
    State(store): State<Store>,
    Path(name): Path<String>,
    token: Token,
) -> Result<Json<Value>, ErrorResponse> {
    let resource = authenticate(&store, token).await?;
    if name.len() > MAX_NAME_LENGTH {
        return Err(ErrorResponse(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The name of a counter can have at most 100 bytes.",
        ));
    }
    let max_counters = Plan::parse(&resource.plan).map_or(0, Plan::max_counters);
    let limit_reached = ErrorResponse(StatusCode::UNPROCESSABLE_ENTITY, "Your plan does not include more counters.");
    let counter = store.increment(&resource, &name, max_counters).await?.ok_or(limit_reached)?;
    Ok(Json(json!({ counter.name: counter.value })))
}

async fn authenticate(store: &Store, token: Token) -> Result<Resource, ErrorResponse> {
    let unauthorized = || ErrorResponse(StatusCode::UNAUTHORIZED, "Send TALLY_TOKEN as a bearer token.");
    let TypedHeader(Authorization(bearer)) = token.ok_or_else(unauthorized)?;
    store.find_by_token(bearer.token()).await?.ok_or_else(unauthorized)
}

struct ErrorResponse(StatusCode, &'static str);

impl From<sqlx::Error> for ErrorResponse {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the database failed");
        Self(StatusCode::SERVICE_UNAVAILABLE, "Tally is temporarily unavailable.")
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let Self(status, message) = self;
        let challenge = (status == StatusCode::UNAUTHORIZED).then_some([("www-authenticate", "Bearer")]);
        (status, challenge, Json(json!({ "message": message }))).into_response()
    }
}
