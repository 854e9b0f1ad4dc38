//! Handlers of customers' apps: the apps, their people, domains and attachments.

use axum::{body::Bytes, extract::Path, response::Response};
use serde_json::Value;

use super::{
    super::state::objects,
    body,
    problem::{Problem, json_text},
    vendor::Vendor,
};

/// `GET /apps`.
pub(crate) async fn list(vendor: Vendor) -> Response {
    let state = vendor.state();
    let apps = state.reachable_apps(&vendor.own).map(|app| state.app_object(&app.id)).collect();
    vendor.page(apps, &["id", "name"], state.settings.page_size)
}

/// `POST /filters/apps`: the apps of the ids in the body that the token can access.
pub(crate) async fn filter(vendor: Vendor, body: Bytes) -> Result<Response, Problem> {
    let body = body::parse(&body)?;
    let invalid = || Problem::invalid_params("in.id is a list of ids.");
    let ids = body.pointer("/in/id").and_then(Value::as_array).ok_or_else(invalid)?;
    let state = vendor.state();
    let wanted = state.reachable_apps(&vendor.own).filter(|app| ids.iter().any(|id| *id == *app.id));
    let apps = wanted.map(|app| state.app_object(&app.id)).collect();
    Ok(vendor.page(apps, &["id", "name"], state.settings.page_size))
}

/// `GET /apps/{app}`.
pub(crate) async fn get(vendor: Vendor, Path(app): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state();
    let app = state.reachable_app(&vendor.own, &app)?;
    Ok(json_text(200, state.app_object(&app.id).to_string()))
}

/// `GET /apps/{app}/collaborators`.
pub(crate) async fn collaborators(vendor: Vendor, Path(app): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state();
    let app = state.reachable_app(&vendor.own, &app)?;
    let people = app.collaborators.iter().map(|(user, role)| objects::collaborator(app, user, role)).collect();
    Ok(vendor.page(people, &["id"], state.settings.page_size))
}

/// `GET /teams/{team}/members`, for a team that owns an app which the token can access.
pub(crate) async fn members(vendor: Vendor, Path(id_or_name): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state();
    let mut teams = state.reachable_apps(&vendor.own).filter_map(|app| app.team.as_ref());
    let team = teams.find(|team| team.id == id_or_name || team.name == id_or_name);
    let team = team.ok_or_else(|| Problem::not_found("team"))?;
    let members = team.members.iter().map(|(user, role)| objects::member(user, role)).collect();
    Ok(vendor.page(members, &["id", "email"], state.settings.page_size))
}

/// `GET /apps/{app}/domains`.
pub(crate) async fn domains(vendor: Vendor, Path(app): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state();
    let app = state.reachable_app(&vendor.own, &app)?;
    let domains = app.domains.iter().map(|(id, hostname)| objects::domain(app, id, hostname)).collect();
    Ok(vendor.page(domains, &["id", "hostname"], state.settings.page_size))
}

/// `GET /addons/{addon}/addon-attachments`.
pub(crate) async fn attachments(vendor: Vendor, Path(addon): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state_of(&addon)?;
    let addon = state.addon(&vendor.own);
    let all = addon.attachments.iter().map(|attachment| state.attachment_object(addon, attachment)).collect();
    Ok(vendor.page(all, &["id", "name"], state.settings.page_size))
}

/// `GET /apps/{app}/addon-attachments`.
pub(crate) async fn attachments_of_app(vendor: Vendor, Path(app): Path<String>) -> Result<Response, Problem> {
    let state = vendor.state();
    let app = &state.reachable_app(&vendor.own, &app)?.id;
    let addon = state.addon(&vendor.own);
    let here = addon.attachments.iter().filter(|attachment| attachment.app == *app);
    let all = here.map(|attachment| state.attachment_object(addon, attachment)).collect();
    Ok(vendor.page(all, &["id", "name"], state.settings.page_size))
}
