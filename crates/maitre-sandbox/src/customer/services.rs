//! The add-on service with its plans, the account and the regions.

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{OWNER, Problem};
use crate::Sandbox;

type JsonResult = Result<Json<Value>, Problem>;

/// `GET /account`.
pub(super) async fn account() -> Json<Value> {
    let (id, email) = OWNER;
    Json(json!({ "id": id, "email": email, "name": null }))
}

/// `GET /addon-services`.
pub(super) async fn list(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!([sandbox.service_object()]))
}

/// `GET /addon-services/{service}`.
pub(super) async fn get(State(sandbox): State<Sandbox>, Path(service): Path<String>) -> JsonResult {
    check_service(&sandbox, &service).map(|()| Json(sandbox.service_object()))
}

/// `GET /addon-services/{service}/plans`.
pub(super) async fn plans(State(sandbox): State<Sandbox>, Path(service): Path<String>) -> JsonResult {
    check_service(&sandbox, &service).map(|()| Json(sandbox.plan_objects()))
}

fn check_service(sandbox: &Sandbox, service: &str) -> Result<(), Problem> {
    if service == sandbox.addon().slug { Ok(()) } else { Err(Problem::not_found("add-on service")) }
}

/// `GET /regions`: those of the manifest.
pub(super) async fn regions(State(sandbox): State<Sandbox>) -> Json<Value> {
    let region = |name: &String| json!({ "id": name, "name": name, "private_capable": false });
    Json(sandbox.addon().regions.iter().map(region).collect())
}
