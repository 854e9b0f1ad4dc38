//! The add-on service with its plans, and the customer's apps.

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::Problem;
use crate::Sandbox;

type JsonResult = Result<Json<Value>, Problem>;

/// `GET /account`.
pub(super) async fn account() -> Json<Value> {
    Json(json!({ "id": "c4b1f2d0-8e2a-4d6b-9c11-5a7e3f9d2b64", "email": "customer@example.org", "name": null }))
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

/// `GET /apps`.
pub(super) async fn apps(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(sandbox.platform().apps().iter().map(maitre_testkit::platform::App::json).collect())
}

/// `GET /apps/{app}`.
pub(super) async fn app(State(sandbox): State<Sandbox>, Path(named): Path<String>) -> JsonResult {
    let mut apps = sandbox.platform().apps().into_iter();
    let app = apps.find(|app| app.id() == named || app.name() == named);
    Ok(Json(app.ok_or_else(|| Problem::not_found("app"))?.json()))
}

/// `GET /apps/{app}/config-vars`.
pub(super) async fn config_vars(State(sandbox): State<Sandbox>, Path(app): Path<String>) -> Json<Value> {
    Json(json!(sandbox.config_vars_on(&sandbox.app_name(&app))))
}

/// `GET /apps/{app}/releases`: a constant, which the CLI shows after attaching.
pub(super) async fn releases() -> Json<Value> {
    Json(json!([{ "version": 1, "status": "succeeded", "description": "Sandbox" }]))
}
