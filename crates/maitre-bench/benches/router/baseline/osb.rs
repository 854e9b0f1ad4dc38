//! The provision of the Open Service Broker API.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use axum::{Json, Router};
use maitre_bench_support::requests::{OSB_PLANS, OSB_SERVICE};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Caller, Secrets};

pub(super) fn routes() -> Router<Arc<Secrets>> {
    Router::new().route("/osb/v2/service_instances/{id}", put(provision))
}

/// Supported version of the API, checked before the body is read.
struct ApiVersion;

impl<S: Sync> FromRequestParts<S> for ApiVersion {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let version = parts.headers.get("x-broker-api-version").and_then(|value| value.to_str().ok());
        if version.is_some_and(|version| version.starts_with("2.")) {
            return Ok(Self);
        }
        let body = json!({ "description": "The header X-Broker-API-Version must be 2.x." });
        Err((StatusCode::PRECONDITION_FAILED, Json(body)).into_response())
    }
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "all documented fields are parsed, also those that this add-on does not use")]
struct Provision {
    service_id: String,
    plan_id: String,
    organization_guid: String,
    space_guid: String,
    context: Option<Map<String, Value>>,
    parameters: Option<Map<String, Value>>,
    maintenance_info: Option<MaintenanceInfo>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "as above")]
struct MaintenanceInfo {
    version: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "the reply does not depend on it")]
struct Flags {
    #[serde(default)]
    accepts_incomplete: bool,
}

#[derive(Serialize)]
struct Provisioned {
    dashboard_url: String,
}

async fn provision(
    _: Caller,
    _: ApiVersion,
    Path(id): Path<String>,
    _: Query<Flags>,
    Json(request): Json<Provision>,
) -> Response {
    if request.service_id != OSB_SERVICE || !OSB_PLANS.contains(&request.plan_id.as_str()) {
        let body = json!({ "description": "The catalog has no such service or plan." });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let dashboard_url = format!("https://tally.example/counters/{id}");
    (StatusCode::CREATED, Json(Provisioned { dashboard_url })).into_response()
}
