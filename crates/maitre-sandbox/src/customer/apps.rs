//! The customer's apps, with their config vars and releases.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use maitre_testkit::platform::App;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{OWNER, Problem, read};
use crate::{Sandbox, apps::Release, names, retry::Lifecycle};

type JsonResult = Result<Json<Value>, Problem>;

/// `GET /apps` and `GET /users/{user}/apps`.
pub(super) async fn list(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(sandbox.existing_apps().iter().map(object).collect())
}

/// `GET /apps/{app}`.
pub(super) async fn get(State(sandbox): State<Sandbox>, Path(named): Path<String>) -> JsonResult {
    Ok(Json(object(&sandbox.existing_app(&named)?)))
}

/// `POST /apps`.
pub(super) async fn create(State(sandbox): State<Sandbox>, body: Bytes) -> Result<Response, Problem> {
    let body = read(&body)?;
    let name = match body["name"].as_str() {
        Some(name) => name.to_owned(),
        None => sandbox.unused_app_name(),
    };
    names::check(&name).map_err(Problem::invalid_params)?;
    if sandbox.existing_app(&name).is_ok() {
        return Err(Problem::invalid_params(format!("Name {name} is already taken")));
    }
    sandbox.apps().revive(&name);
    let app = sandbox.platform().app(&name);
    sandbox.add_release(&name, "Initial release");
    Ok((StatusCode::CREATED, Json(object(&app))).into_response())
}

/// `DELETE /apps/{app}`: removes its add-ons as well.
pub(super) async fn destroy(State(sandbox): State<Sandbox>, Path(named): Path<String>) -> JsonResult {
    let app = sandbox.existing_app(&named)?;
    let (name, object) = (app.name(), object(&app));
    for install in sandbox.live_installs() {
        if install.app() == name {
            sandbox.perform(&install, Lifecycle::Deprovision).await;
        } else {
            let here = install.attachments().into_iter().filter(|attachment| attachment["app"]["name"] == name);
            here.filter_map(|attachment| attachment["id"].as_str().map(str::to_owned))
                .for_each(|id| install.detach(&id));
        }
    }
    sandbox.apps().destroy(&name);
    sandbox.mark_dirty();
    Ok(Json(object))
}

/// `GET /apps/{app}/config-vars`: those of the customer and of the add-ons.
pub(super) async fn config_vars(State(sandbox): State<Sandbox>, Path(app): Path<String>) -> Json<Value> {
    Json(json!(sandbox.all_config_vars(&sandbox.app_name(&app))))
}

/// `PATCH /apps/{app}/config-vars`: sets config vars, and removes those that are null.
pub(super) async fn change_config_vars(
    State(sandbox): State<Sandbox>,
    Path(app): Path<String>,
    body: Bytes,
) -> JsonResult {
    let body = read(&body)?;
    let app = sandbox.app_name(&app);
    let fields = body.as_object().ok_or_else(|| Problem::bad_request("The body is not an object."))?;
    let of_addons = sandbox.config_vars_on(&app);
    let mut changes = BTreeMap::new();
    for (name, value) in fields {
        if of_addons.contains_key(name) {
            return Err(Problem::invalid_params(format!("Cannot overwrite attachment values {name}.")));
        }
        let value = match value {
            Value::Null => None,
            Value::String(value) => Some(value.clone()),
            value => Some(value.to_string()),
        };
        changes.insert(name.clone(), value);
    }
    names::check(&app).map_err(Problem::invalid_params)?;
    sandbox.touch_app(&app);
    let names: Vec<_> = changes.keys().map(String::as_str).collect();
    let verb = if changes.values().all(Option::is_none) { "Remove" } else { "Set" };
    let description = format!("{verb} {} config vars", names.join(", "));
    sandbox.apps().change_config(&app, changes);
    sandbox.add_release(&app, &description);
    Ok(Json(json!(sandbox.all_config_vars(&app))))
}

/// `GET /apps/{app}/releases`. The client asks for the newest ones with `Range: version ..; max=15, order=desc`.
pub(super) async fn releases(
    State(sandbox): State<Sandbox>,
    Path(app): Path<String>,
    headers: HeaderMap,
) -> Json<Value> {
    let app = sandbox.app_name(&app);
    let range = headers.get("range").and_then(|range| range.to_str().ok()).unwrap_or_default();
    let mut releases = sandbox.apps().releases(&app);
    if releases.is_empty() {
        // an app exists as soon as a command names it
        let created_at = sandbox.platform().clock().now();
        releases.push(Release { version: 1, description: "Initial release".to_owned(), created_at });
    }
    let current = releases.last().map(|release| release.version);
    if range.contains("order=desc") {
        releases.reverse();
    }
    let max = range.split("max=").nth(1).and_then(|rest| rest.split([',', ';', ' ']).next()?.parse().ok());
    releases.truncate(max.unwrap_or(200));
    Json(releases.iter().map(|release| release_object(&app, release, current == Some(release.version))).collect())
}

/// `GET /apps/{app}/releases/{version}`.
pub(super) async fn release(
    State(sandbox): State<Sandbox>,
    Path((app, version)): Path<(String, String)>,
) -> JsonResult {
    let app = sandbox.app_name(&app);
    let releases = sandbox.apps().releases(&app);
    let found = releases.iter().find(|release| release.version.to_string() == version.trim_start_matches('v'));
    let found = found.ok_or_else(|| Problem::not_found("release"))?;
    Ok(Json(release_object(&app, found, releases.last() == Some(found))))
}

/// Lists of things that the apps of the sandbox do not have: `GET /apps/{app}/dynos` and others.
pub(super) async fn none(State(sandbox): State<Sandbox>, Path(app): Path<String>) -> JsonResult {
    sandbox.existing_app(&app).map(|_| Json(json!([])))
}

/// `GET /apps/{app}/collaborators`: the owner.
pub(super) async fn collaborators(State(sandbox): State<Sandbox>, Path(app): Path<String>) -> JsonResult {
    let app = sandbox.existing_app(&app)?.json();
    Ok(Json(json!([{ "user": app["owner"], "role": "owner", "permissions": [] }])))
}

fn release_object(app: &str, release: &Release, is_current: bool) -> Value {
    let at = release.created_at.format(&Rfc3339).unwrap_or_default();
    json!({
        "addon_plan_names": [],
        "app": { "name": app },
        "created_at": at,
        "current": is_current,
        "description": release.description,
        "id": format!("00000000-0000-4000-8000-{:012}", release.version),
        "output_stream_url": null,
        "slug": null,
        "status": "succeeded",
        "updated_at": at,
        "user": { "email": OWNER.1, "id": OWNER.0 },
        "version": release.version,
    })
}

/// Returns the platform's object with what the CLI reads in addition.
fn object(app: &App) -> Value {
    let mut object = app.json();
    let name = app.name();
    object["git_url"] = format!("https://git.example.org/{name}.git").into();
    object["build_stack"] = object["stack"].clone();
    object["released_at"] = object["created_at"].clone();
    object["repo_size"] = 0.into();
    object["slug_size"] = 0.into();
    object["acm"] = false.into();
    object["internal_routing"] = false.into();
    object
}

impl Sandbox {
    /// Returns the customers' apps that were not destroyed.
    fn existing_apps(&self) -> Vec<App> {
        let mut apps = self.platform().apps();
        apps.retain(|app| !self.apps().is_destroyed(&app.name()));
        apps
    }

    fn existing_app(&self, named: &str) -> Result<App, Problem> {
        let mut apps = self.existing_apps().into_iter();
        apps.find(|app| app.id() == named || app.name() == named).ok_or_else(|| Problem::not_found("app"))
    }

    /// Creates an app if it does not exist.
    pub(super) fn touch_app(&self, name: &str) {
        self.apps().revive(name);
        self.platform().app(name);
        self.mark_dirty();
    }

    fn unused_app_name(&self) -> String {
        let apps = self.existing_apps();
        let is_unused = |name: &String| !apps.iter().any(|app| app.name() == *name);
        // one more name than there are apps
        (1..=apps.len() + 1).map(|number| format!("sandbox-app-{number}")).find(is_unused).unwrap_or_default()
    }

    /// Returns the config vars of an app: those of the customer and of the add-ons.
    fn all_config_vars(&self, app: &str) -> BTreeMap<String, String> {
        let mut vars = self.apps().config(app);
        vars.extend(self.config_vars_on(app));
        vars
    }
}
