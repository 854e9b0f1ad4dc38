//! Attachments of add-ons to apps.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maitre_testkit::platform::Install;
use serde_json::{Value, json};

use super::{Problem, read};
use crate::{Sandbox, names};

/// Namespace of the credential that every add-on has.
const DEFAULT_CREDENTIAL: &str = "credential:default";

type JsonResult = Result<Json<Value>, Problem>;

/// `GET /addon-attachments`.
pub(super) async fn list(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(all(&sandbox, |_| true))
}

/// `GET /addons/{addon}/addon-attachments`.
pub(super) async fn of_addon(State(sandbox): State<Sandbox>, Path(named): Path<String>) -> JsonResult {
    let install = sandbox.live(&named)?;
    Ok(Json(all(&sandbox, |attachment| attachment["addon"]["id"] == install.uuid())))
}

/// `GET /apps/{app}/addon-attachments`.
pub(super) async fn of_app(State(sandbox): State<Sandbox>, Path(app): Path<String>) -> Json<Value> {
    let app = sandbox.app_name(&app);
    Json(all(&sandbox, |attachment| attachment["app"]["name"] == app))
}

/// `GET /apps/{app}/addon-attachments/{attachment}`.
pub(super) async fn get(State(sandbox): State<Sandbox>, Path((app, named)): Path<(String, String)>) -> JsonResult {
    let app = sandbox.app_name(&app);
    let found = all(&sandbox, |attachment| attachment["app"]["name"] == app && has_name(attachment, &named));
    found.get(0).cloned().map(Json).ok_or_else(|| Problem::not_found("attachment"))
}

/// `POST /actions/addon-attachments/resolve`.
pub(super) async fn resolve(State(sandbox): State<Sandbox>, body: Bytes) -> JsonResult {
    let body = read(&body)?;
    let invalid = || Problem::invalid_params("addon_attachment must be the name of an attachment.");
    let named = body["addon_attachment"].as_str().ok_or_else(invalid)?;
    let app = body["app"].as_str().map(|app| sandbox.app_name(app));
    let found = all(&sandbox, |attachment| {
        app.as_ref().is_none_or(|app| attachment["app"]["name"] == **app) && has_name(attachment, named)
    });
    match found.as_array() {
        Some(found) if !found.is_empty() => Ok(Json(found.iter().cloned().collect())),
        _ => Err(Problem::not_found("attachment")),
    }
}

/// `POST /addon-attachments`: attaches an add-on to another app, or to the same app under another name.
pub(super) async fn attach(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Response, Problem> {
    let body = read(&body)?;
    let text = |object: &Value| -> Option<String> {
        let named = object.get("name").or(object.get("id")).unwrap_or(object);
        named.as_str().map(str::to_owned)
    };
    let addon = text(&body["addon"]).ok_or_else(|| Problem::invalid_params("addon is missing."))?;
    let app = text(&body["app"]).ok_or_else(|| Problem::invalid_params("app is missing."))?;
    let (install, app) = (sandbox.live(&addon)?, sandbox.app_name(&app));
    if !sandbox.addon().has("attachable") && app != install.app() {
        let message = "This add-on cannot be attached to other apps: its manifest does not require attachable.";
        return Err(Problem::invalid_params(message));
    }
    if let Some(namespace) = body["namespace"].as_str().filter(|namespace| *namespace != DEFAULT_CREDENTIAL) {
        return Err(Problem::invalid_params(format!("This add-on has no {namespace}.")));
    }
    let name = body["name"].as_str().map_or_else(|| install.name().to_uppercase().replace('-', "_"), str::to_owned);
    names::check(&app).and_then(|()| names::check_attachment(&name)).map_err(Problem::invalid_params)?;
    let taken = all(&sandbox, |attachment| attachment["app"]["name"] == app && attachment["name"] == name);
    if taken.as_array().is_some_and(|taken| !taken.is_empty()) {
        return Err(Problem::invalid_params(format!("There is already an attachment named {name} on {app}.")));
    }
    sandbox.touch_app(&app);
    install.attach(&app, &name);
    sandbox.add_release(&app, &format!("Attach {name} (@ref:{})", install.name()));
    let created = all(&sandbox, |attachment| attachment["app"]["name"] == app && attachment["name"] == name);
    Ok((StatusCode::CREATED, Json(created[0].clone())).into_response())
}

/// `DELETE /addon-attachments/{attachment}`.
pub(super) async fn detach(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> JsonResult {
    let attachment_of = |install: &Install| install.attachments().into_iter().find(|attachment| attachment["id"] == id);
    let found = sandbox
        .live_installs()
        .into_iter()
        .find_map(|install| attachment_of(&install).map(|attachment| (install, attachment)));
    let (install, attachment) = found.ok_or_else(|| Problem::not_found("attachment"))?;
    let object = sandbox.attachment_object(&install, &attachment);
    install.detach(&id);
    let text = |path: &str| attachment.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    sandbox.add_release(&text("/app/name"), &format!("Detach {} (@ref:{})", text("/name"), install.name()));
    Ok(Json(object))
}

/// `GET /addons/{addon}/config/{namespace}`: the config vars of a credential. Add-ons have one credential, the default.
pub(super) async fn credential(
    State(sandbox): State<Sandbox>,
    Path((named, namespace)): Path<(String, String)>,
) -> JsonResult {
    let install = sandbox.live(&named)?;
    let vars = if namespace == DEFAULT_CREDENTIAL { install.config() } else { BTreeMap::new() };
    Ok(Json(vars.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()))
}

/// Whether the attachment has this id or name.
fn has_name(attachment: &Value, named: &str) -> bool {
    attachment["id"] == named || attachment["name"] == named
}

/// Returns the attachments of all add-ons that match.
fn all(sandbox: &Sandbox, matches: impl Fn(&Value) -> bool) -> Value {
    let installs = sandbox.live_installs();
    let of = |install: &Install| -> Vec<Value> {
        let attachments = install.attachments().into_iter().filter(&matches);
        attachments.map(|attachment| sandbox.attachment_object(install, &attachment)).collect()
    };
    installs.iter().flat_map(of).collect()
}
