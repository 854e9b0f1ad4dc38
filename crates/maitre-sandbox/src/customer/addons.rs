//! Creates, changes and destroys add-ons.

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
use crate::{Sandbox, lifecycle::Outcome, names, retry::Lifecycle};

type JsonResult = Result<Json<Value>, Problem>;

/// `GET /addons`.
pub(super) async fn list(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(sandbox.live_installs().iter().map(|install| sandbox.addon_object(install)).collect())
}

/// `GET /apps/{app}/addons`.
pub(super) async fn of_app(State(sandbox): State<Sandbox>, Path(app): Path<String>) -> Json<Value> {
    let app = sandbox.app_name(&app);
    let installs = sandbox.live_installs();
    let here = installs.iter().filter(|install| install.app() == app);
    Json(here.map(|install| sandbox.addon_object(install)).collect())
}

/// `GET /addons/{addon}`.
pub(super) async fn get(State(sandbox): State<Sandbox>, Path(named): Path<String>) -> JsonResult {
    Ok(Json(sandbox.addon_object(&sandbox.live(&named)?)))
}

/// `GET /apps/{app}/addons/{addon}`.
pub(super) async fn get_of_app(
    State(sandbox): State<Sandbox>,
    Path((app, named)): Path<(String, String)>,
) -> JsonResult {
    Ok(Json(sandbox.addon_object(&sandbox.live_on_app(&app, &named)?)))
}

/// `POST /actions/addons/resolve`: finds add-ons by id, name, attachment name or, within an app, service.
pub(super) async fn resolve(State(sandbox): State<Sandbox>, body: Bytes) -> JsonResult {
    let body = read(&body)?;
    let named =
        body["addon"].as_str().ok_or_else(|| Problem::invalid_params("addon must be the name of an add-on."))?;
    let app = body["app"].as_str().map(|app| sandbox.app_name(app));
    let matches = |install: &Install| {
        let is_on_app = |attachment: &Value| app.as_ref().is_none_or(|app| attachment["app"]["name"] == **app);
        let attachments = install.attachments();
        let is_visible = attachments.iter().any(is_on_app) || app.as_ref().is_none_or(|app| install.app() == *app);
        let slug = &sandbox.addon().slug;
        let by_name = install.uuid() == named || install.name() == named;
        let by_service = named == slug.as_str() || named == format!("{slug}:{}", install.plan());
        let by_attachment = attachments.iter().any(|attachment| is_on_app(attachment) && attachment["name"] == named);
        is_visible && (by_name || by_service || by_attachment)
    };
    let mut found = sandbox.live_installs();
    found.retain(matches);
    if found.is_empty() {
        return Err(Problem::not_found("add-on"));
    }
    Ok(Json(found.iter().map(|install| sandbox.addon_object(install)).collect()))
}

/// `POST /apps/{app}/addons`.
pub(super) async fn create(
    State(sandbox): State<Sandbox>,
    Path(app): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let body = read(&body)?;
    let app = sandbox.app_name(&app);
    names::check(&app).map_err(Problem::invalid_params)?;
    let plan = sandbox.parse_plan(body.pointer("/plan/name").or(body.get("plan")))?;
    sandbox.touch_app(&app);
    if sandbox.is_full(&app) {
        let name = &sandbox.addon().name;
        return Err(Problem::invalid_params(format!(
            "{name} is already installed on {app}, and an app can have only one."
        )));
    }
    let mut builder = sandbox.install_builder(&plan).app(&app);
    if let Some(name) = body["name"].as_str() {
        names::check(name).map_err(Problem::invalid_params)?;
        if sandbox.live(name).is_ok() {
            return Err(Problem::invalid_params("Name is already taken"));
        }
        builder = builder.name(name);
    }
    if let Some(name) = body.pointer("/attachment/name").and_then(Value::as_str) {
        names::check_attachment(name).map_err(Problem::invalid_params)?;
        builder = builder.attached_as(name);
    }
    for (name, value) in body["config"].as_object().into_iter().flatten() {
        builder = builder.option(name, &option(value));
    }
    let (install, outcome) = sandbox.start_install(builder).await;
    match outcome {
        Outcome::Done | Outcome::Accepted | Outcome::Pending(_) => {
            let object = sandbox.addon_object(&install);
            Ok((StatusCode::CREATED, Json(object)).into_response())
        }
        Outcome::Refused(message) => Err(Problem::refused(message)),
        Outcome::Failed(_) => Err(Problem::refused("The add-on could not be provisioned. Please try again later.")),
    }
}

/// Converts the value of an option to a string, as Heroku does.
fn option(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `PATCH /apps/{app}/addons/{addon}`: changes the plan or the name.
pub(super) async fn change(
    State(sandbox): State<Sandbox>,
    Path((app, named)): Path<(String, String)>,
    body: Bytes,
) -> JsonResult {
    let body = read(&body)?;
    let install = sandbox.live_on_app(&app, &named)?;
    if let Some(name) = body["name"].as_str() {
        names::check(name).map_err(Problem::invalid_params)?;
        if sandbox.live(name).is_ok_and(|other| other.uuid() != install.uuid()) {
            return Err(Problem::invalid_params("Name is already taken"));
        }
        install.rename(name);
        return Ok(Json(sandbox.addon_object(&install)));
    }
    let plan = sandbox.parse_plan(body.pointer("/plan/name").or(body.get("plan")))?;
    match sandbox.perform(&install, Lifecycle::PlanChange(plan)).await {
        Outcome::Done | Outcome::Accepted => Ok(Json(sandbox.addon_object(&install))),
        Outcome::Refused(message) => Err(Problem::refused(message)),
        Outcome::Pending(_) | Outcome::Failed(_) => {
            Err(Problem::refused("The plan could not be changed. Please try again later."))
        }
    }
}

/// `DELETE /apps/{app}/addons/{addon}`. An add-on that is attached to another app is only removed with `force`.
pub(super) async fn destroy(
    State(sandbox): State<Sandbox>,
    Path((app, named)): Path<(String, String)>,
    body: Bytes,
) -> JsonResult {
    let is_forced = read(&body)?["force"] == true;
    let install = sandbox.live_on_app(&app, &named)?;
    let attachments = install.attachments();
    let apps = attachments.iter().filter_map(|attachment| attachment.pointer("/app/name")?.as_str());
    let mut others: Vec<_> = apps.filter(|name| *name != install.app()).collect();
    others.dedup();
    if !is_forced && !others.is_empty() {
        return Err(Problem::invalid_params(format!(
            "Cannot destroy {}: it is attached to {}. Detach it there, or use --force.",
            install.name(),
            others.join(", ")
        )));
    }
    sandbox.perform(&install, Lifecycle::Deprovision).await;
    Ok(Json(sandbox.addon_object(&install)))
}

/// `GET /addons/{addon}/sso`.
pub(super) async fn sign_on(State(sandbox): State<Sandbox>, Path(named): Path<String>) -> JsonResult {
    Ok(Json(form(&sandbox, &sandbox.live(&named)?, None)))
}

/// `GET /apps/{app}/addons/{addon}/sso`.
pub(super) async fn sign_on_from_app(
    State(sandbox): State<Sandbox>,
    Path((app, named)): Path<(String, String)>,
) -> JsonResult {
    let install = sandbox.live(&named)?;
    Ok(Json(form(&sandbox, &install, Some(&sandbox.app_name(&app)))))
}

fn form(sandbox: &Sandbox, install: &Install, app: Option<&str>) -> Value {
    let form = sandbox.sign_on(install, app);
    let params: serde_json::Map<_, _> = form.fields.into_iter().map(|(name, value)| (name, value.into())).collect();
    json!({ "method": form.method.to_lowercase(), "action": form.action, "params": params })
}

impl Sandbox {
    /// Returns the add-on of this id or name unless it is deprovisioned.
    pub(super) fn live(&self, named: &str) -> Result<Install, Problem> {
        self.live_install(named).ok_or_else(|| Problem::not_found("add-on"))
    }

    /// Returns the add-on of this id or name if it belongs to the app and is not deprovisioned.
    fn live_on_app(&self, app: &str, named: &str) -> Result<Install, Problem> {
        let app = self.app_name(app);
        self.live(named)
            .and_then(|install| if install.app() == app { Ok(install) } else { Err(Problem::not_found("add-on")) })
    }

    /// Returns the name of the app with this id or name.
    pub(super) fn app_name(&self, named: &str) -> String {
        let mut apps = self.platform().apps().into_iter();
        apps.find(|app| app.id() == named).map_or_else(|| named.to_owned(), |app| app.name())
    }

    /// Returns the plan of `service:plan`, or the default plan of `service`.
    fn parse_plan(&self, named: Option<&Value>) -> Result<String, Problem> {
        let named = named.and_then(Value::as_str).ok_or_else(|| Problem::invalid_params("plan is missing."))?;
        let (slug, plan) = named.split_once(':').unwrap_or((named, self.addon().plans[0].name()));
        if slug == self.addon().slug && self.addon().sells(plan) {
            Ok(plan.to_owned())
        } else {
            Err(Problem::unknown_plan(named))
        }
    }
}
