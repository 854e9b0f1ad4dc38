//! API of the product: `POST /counters/{name}` increments a counter, `GET /counters` lists all.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use headers::authorization::Bearer;
use headers::{Authorization, HeaderMapExt};
use serde_json::{Map, Value, json};

use crate::error_response::{ErrorResponse, method_not_allowed};
use crate::plan::Plan;
use crate::store::{Resource, Store};

const MAX_NAME_LENGTH: usize = 100;

const INVALID_NAME: ErrorResponse = ErrorResponse(
    StatusCode::UNPROCESSABLE_ENTITY,
    "The name of a counter is UTF-8 text without control characters and has at most 100 bytes.",
);

pub(crate) fn routes(store: Store) -> Router {
    Router::new()
        .route("/counters", get(list))
        .route("/counters/{name}", post(increment))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(store)
}

async fn list(State(store): State<Store>, headers: HeaderMap) -> Result<Json<Map<String, Value>>, ErrorResponse> {
    let resource = authenticate(&store, &headers).await?;
    let counters = store.counters(&resource).await?;
    Ok(Json(counters.into_iter().map(|counter| (counter.name, counter.value.into())).collect()))
}

async fn increment(
    State(store): State<Store>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Json<Value>, ErrorResponse> {
    let resource = authenticate(&store, &headers).await?;
    let name = match name {
        Ok(Path(name)) if name.len() <= MAX_NAME_LENGTH && !name.contains(char::is_control) => name,
        _ => return Err(INVALID_NAME),
    };
    let max_counters = Plan::parse(&resource.plan).map_or(0, Plan::max_counters);
    let limit_reached = ErrorResponse(StatusCode::UNPROCESSABLE_ENTITY, "Your plan does not include more counters.");
    let counter = store.increment(&resource, &name, max_counters).await?.ok_or(limit_reached)?;
    Ok(Json(json!({ counter.name: counter.value })))
}

async fn authenticate(store: &Store, headers: &HeaderMap) -> Result<Resource, ErrorResponse> {
    let unauthorized = || ErrorResponse(StatusCode::UNAUTHORIZED, "Send TALLY_TOKEN as a bearer token.");
    let Authorization(bearer) = headers.typed_get::<Authorization<Bearer>>().ok_or_else(unauthorized)?;
    let resource = store.find_by_token(bearer.token()).await?.ok_or_else(unauthorized)?;
    if store.is_suspended(&resource).await? {
        return Err(ErrorResponse(
            StatusCode::FORBIDDEN,
            "Your add-on is suspended: ask your marketplace for the reason.",
        ));
    }
    Ok(resource)
}
