//! Forms that install, change, attach and remove add-ons.

use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use maitre_conformance::Marketplace;
use maitre_testkit::platform::Install;
use serde::Deserialize;

use super::form::{back, invalid, not_found};
use crate::{Sandbox, events::PageEvent, names, retry::Lifecycle};

#[derive(Debug, Deserialize)]
pub(super) struct InstallForm {
    plan: String,
    #[serde(default)]
    app: String,
    #[serde(default)]
    options: String,
    #[serde(default)]
    region: String,
}

/// `POST /sandbox/installs`.
pub(super) async fn install(State(sandbox): State<Sandbox>, Form(form): Form<InstallForm>) -> Response {
    if !sandbox.addon().sells(&form.plan) {
        return invalid(&sandbox, "This plan does not exist.");
    }
    let app = form.app.trim();
    let mut builder = sandbox.install_builder(&form.plan);
    if !app.is_empty() {
        if let Err(message) = names::check(app) {
            return invalid(&sandbox, &message);
        }
        if sandbox.is_full(app) {
            let message = match sandbox.marketplace() {
                Marketplace::Heroku => {
                    "The add-on is already installed on this app, and its manifest does not require many_per_app."
                }
                _ => "The add-on is already installed on this app.",
            };
            return invalid(&sandbox, message);
        }
        builder = builder.app(app);
    }
    if sandbox.profile().regions.contains(&form.region.as_str()) {
        builder = builder.region(&form.region);
    }
    for option in form.options.split_whitespace() {
        let (name, value) = option.trim_start_matches("--").split_once('=').unwrap_or((option, "true"));
        builder = builder.option(name, value);
    }
    tokio::spawn(async move { sandbox.start_install(builder).await });
    back()
}

#[derive(Debug, Deserialize)]
pub(super) struct PlanForm {
    plan: String,
}

/// `POST /sandbox/installs/{uuid}/plan`.
pub(super) async fn change_plan(
    State(sandbox): State<Sandbox>,
    Path(uuid): Path<String>,
    Form(form): Form<PlanForm>,
) -> Response {
    match sandbox.live_install(&uuid) {
        None => not_found(&sandbox),
        Some(_) if !sandbox.addon().sells(&form.plan) => invalid(&sandbox, "This plan does not exist."),
        Some(install) => {
            perform(sandbox, install, Lifecycle::PlanChange(form.plan));
            back()
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ActionForm {
    #[serde(default)]
    value: String,
}

/// `POST /sandbox/installs/{uuid}/actions/{action}`.
pub(super) async fn act(
    State(sandbox): State<Sandbox>,
    Path((uuid, name)): Path<(String, String)>,
    Form(form): Form<ActionForm>,
) -> Response {
    let Some(install) = sandbox.live_install(&uuid) else { return not_found(&sandbox) };
    let Some(action) = sandbox.contract().actions(&install).into_iter().find(|offered| offered.name == name) else {
        return invalid(&sandbox, "The marketplace does not offer this in the current state.");
    };
    let value = form.value.trim().to_owned();
    if action.field.is_some()
        && let Err(message) = names::check(&value)
    {
        return invalid(&sandbox, &message);
    }
    perform(sandbox, install, Lifecycle::Action { name, value });
    back()
}

/// `POST /sandbox/installs/{uuid}/remove`.
pub(super) async fn remove(State(sandbox): State<Sandbox>, Path(uuid): Path<String>) -> Response {
    let Some(install) = sandbox.live_install(&uuid) else { return not_found(&sandbox) };
    perform(sandbox, install, Lifecycle::Deprovision);
    back()
}

/// `POST /sandbox/installs/remove-all`.
pub(super) async fn remove_all(State(sandbox): State<Sandbox>) -> Response {
    tokio::spawn(async move { sandbox.remove_all().await });
    back()
}

fn perform(sandbox: Sandbox, install: Install, call: Lifecycle) {
    tokio::spawn(async move { sandbox.perform(&install, call).await });
}

#[derive(Debug, Deserialize)]
pub(super) struct AttachForm {
    app: String,
    name: String,
}

/// `POST /sandbox/installs/{uuid}/attach`.
pub(super) async fn attach(
    State(sandbox): State<Sandbox>,
    Path(uuid): Path<String>,
    Form(form): Form<AttachForm>,
) -> Response {
    let Some(install) = sandbox.live_install(&uuid) else { return not_found(&sandbox) };
    if !sandbox.addon().has("attachable") {
        return invalid(&sandbox, "The manifest does not require attachable.");
    }
    if let Err(message) = names::check(&form.app).and_then(|()| names::check_attachment(&form.name)) {
        return invalid(&sandbox, &message);
    }
    install.attach(&form.app, &form.name);
    sandbox.publish(PageEvent::Installs);
    back()
}
