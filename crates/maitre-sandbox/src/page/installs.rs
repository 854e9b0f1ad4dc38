//! Installs and their buttons.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maitre_testkit::platform::{Install, State as Stage};
use maud::{Markup, html};

use super::{
    View,
    layout::{day_and_time, time_of_day},
};
use crate::{Plan, Sandbox, customer::config_vars_of};

/// Number of installs on a page.
const PAGE_SIZE: usize = 12;

pub(super) fn section(sandbox: &Sandbox, view: &View) -> Markup {
    html! {
        section #install-form .card aria-labelledby="install-form-title" {
            h2 #install-form-title { "Install" }
            form .row method="post" action="/sandbox/installs" data-quiet="true" {
                label { "Plan" select name="plan" { (plans(&sandbox.addon().plans, None)) } }
                label { "App" input name="app" placeholder="new app" autocomplete="off" spellcheck="false" maxlength="60"
                    pattern="[a-z][a-z0-9\\-]*" title="lower-case letters, digits and hyphens"; }
                button .primary type="submit" { "Install" }
                details .more {
                    summary { "Options and region" }
                    label { "Options" input name="options" placeholder="retention=7d trace=true" autocomplete="off" spellcheck="false"; }
                    label { "Region" select name="region" {
                        @for region in REGIONS { option value=(region) { (region.trim_start_matches("amazon-web-services::")) } }
                    } }
                }
            }
        }
        (list(sandbox, view))
    }
}

/// Regions of Heroku's schema, in the form of a provision request.
const REGIONS: [&str; 13] = [
    "amazon-web-services::us-east-1",
    "amazon-web-services::us-west-1",
    "amazon-web-services::us-west-2",
    "amazon-web-services::eu-west-1",
    "amazon-web-services::eu-west-2",
    "amazon-web-services::eu-central-1",
    "amazon-web-services::ap-northeast-1",
    "amazon-web-services::ap-northeast-2",
    "amazon-web-services::ap-southeast-1",
    "amazon-web-services::ap-southeast-2",
    "amazon-web-services::ap-south-1",
    "amazon-web-services::sa-east-1",
    "amazon-web-services::ca-central-1",
];

pub(super) fn is_region(region: &str) -> bool {
    REGIONS.contains(&region)
}

/// `GET /sandbox/installs`: the list only, for the script of an open page.
pub(super) async fn fragment(State(sandbox): State<Sandbox>, Query(view): Query<View>) -> Markup {
    list(&sandbox, &view)
}

fn list(sandbox: &Sandbox, view: &View) -> Markup {
    let show_removed = view.removed.is_some();
    let mut installs = sandbox.platform().installs();
    let total = installs.len();
    installs.retain(|install| show_removed || install.state() != Stage::Deprovisioned);
    let hidden = total - installs.len();
    installs.sort_by_cached_key(|install| std::cmp::Reverse((install.created_at(), install.uuid().to_owned())));
    let pages = installs.len().div_ceil(PAGE_SIZE).max(1);
    let page = view.page.min(pages - 1);
    let shown = installs.iter().skip(page * PAGE_SIZE).take(PAGE_SIZE);
    html! {
        section #installs aria-labelledby="installs-title" {
            div .title {
                h2 #installs-title { "Installs" }
                span .count { (installs.len()) }
                @if hidden > 0 { a .quiet href=(view.link(|view| view.removed = Some("shown".to_owned()))) { "show " (hidden) " removed" } }
                @if show_removed { a .quiet href=(view.link(|view| view.removed = None)) { "hide removed" } }
            }
            @if installs.is_empty() {
                p .empty .card { "No customer has installed " (sandbox.addon().name) " yet. Choose a plan and press "
                    strong { "Install" } "." }
            }
            ol .installs {
                @for install in shown { (card(sandbox, view, install)) }
            }
            @if pages > 1 {
                nav .pages aria-label="Pages of installs" {
                    @if page > 0 { a href=(view.link(|view| view.page = page - 1)) rel="prev" { "Newer" } }
                    span { "Page " (page + 1) " of " (pages) }
                    @if page + 1 < pages { a href=(view.link(|view| view.page = page + 1)) rel="next" { "Older" } }
                }
            }
        }
    }
}

fn card(sandbox: &Sandbox, view: &View, install: &Install) -> Markup {
    let (uuid, name, state, plan) = (install.uuid(), install.name(), install.state(), install.plan());
    let is_live = state != Stage::Deprovisioned;
    let action = |what: &str| format!("/sandbox/installs/{uuid}/{what}");
    html! {
        li .card .install id={ "install-" (uuid) } data-state=(state) {
            div .title {
                h3 { (name) }
                span .pill data-state=(state) { (state) }
            }
            p .facts {
                strong { (plan) } " on " (install.app()) ", requested at " (time_of_day(install.created_at())) " · "
                a .quiet href=(view.link(|view| { view.install = Some(uuid.to_owned()); view.before = None; })) { "timeline" span .sr { " of " (name) } }
            }
            @if let Some(message) = install.message() { p .message { "“" (message) "”" } }
            @if let Some(deadline) = install.deadline() { p .wait { (progress(sandbox, install, &day_and_time(deadline))) } }
            @if is_live {
                (config_names(install))
                (attachments(sandbox, install))
                div .actions {
                    @if state == Stage::Provisioned {
                        form method="post" action=(action("open")) target="_blank" {
                            button .primary type="submit" id={ "open-" (uuid) } { "Open dashboard" span .sr { " of " (name) } }
                        }
                        form .joined method="post" action=(action("plan")) data-quiet="true" {
                            select name="plan" aria-label={ "New plan of " (name) } id={ "plan-" (uuid) } {
                                (plans(&sandbox.addon().plans, Some(&plan)))
                            }
                            button type="submit" id={ "change-" (uuid) } { "Change" span .sr { " the plan of " (name) } }
                        }
                    }
                    form method="post" action=(action("remove")) data-quiet="true" {
                        button .danger type="submit" id={ "remove-" (uuid) } { "Remove" span .sr { " " (name) } }
                    }
                }
            }
        }
    }
}

/// Describes the pending lifecycle call of an install.
fn progress(sandbox: &Sandbox, install: &Install, deadline: &str) -> String {
    let retry = sandbox.inner().retries.find(install.uuid());
    match (install.state(), retry) {
        (Stage::Provisioning, Some(retry)) => format!(
            "No final response after {} attempt(s). Heroku retries at {} and gives up at {deadline}.",
            retry.attempts,
            day_and_time(retry.due)
        ),
        (Stage::Provisioning, None) if install.provision_status() == Some(202) => {
            format!("Answered 202. Heroku deprovisions it at {deadline} unless it is marked provisioned.")
        }
        (Stage::Deprovisioning, Some(retry)) => {
            format!("The deprovision did not succeed. Heroku retries at {}.", day_and_time(retry.due))
        }
        _ => "Waiting for the add-on.".to_owned(),
    }
}

pub(super) fn plans(plans: &[Plan], current: Option<&str>) -> Markup {
    // the first plan other than the current one
    let selected = current.and_then(|current| plans.iter().position(|plan| plan.name() != current)).unwrap_or(0);
    html! {
        @for (index, plan) in plans.iter().enumerate() {
            option value=(plan.name()) selected[index == selected] { (plan.name()) }
        }
    }
}

/// Shows the names of the config vars. The values are only sent on request.
fn config_names(install: &Install) -> Markup {
    let names: Vec<_> = install.config().into_keys().collect();
    if names.is_empty() {
        return html! {};
    }
    let url = format!("/sandbox/installs/{}/config", install.uuid());
    html! {
        div .config {
            dl {
                @for name in &names { div { dt { code { (name) } } dd { span aria-label="hidden" { "••••••••••" } } } }
            }
            a .button .small href=(url) data-reveal="true" id={ "reveal-" (install.uuid()) } {
                "Show values" span .sr { " of " (install.name()) }
            }
        }
    }
}

fn attachments(sandbox: &Sandbox, install: &Install) -> Markup {
    let attachments = install.attachments();
    let text = |attachment: &serde_json::Value, path: &str| {
        attachment.pointer(path).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    let can_attach = sandbox.addon().has("attachable") && install.state() == Stage::Provisioned;
    html! {
        @if attachments.len() > 1 || can_attach {
            details .more {
                summary { (attachments.len()) " attachment(s)" }
                ul { @for attachment in &attachments {
                    li { code { (text(attachment, "/name")) } " on " (text(attachment, "/app/name")) }
                } }
                @if can_attach {
                    form .row method="post" action={ "/sandbox/installs/" (install.uuid()) "/attach" } data-quiet="true" {
                        label { "App" input name="app" required autocomplete="off" spellcheck="false" maxlength="60"
                            pattern="[a-z][a-z0-9\\-]*" title="lower-case letters, digits and hyphens"; }
                        label { "As" input name="name" required autocomplete="off" spellcheck="false" maxlength="60"
                            pattern="[A-Z][A-Z0-9_]*" title="capital letters, digits and underscores"; }
                        button type="submit" { "Attach" }
                    }
                }
            }
        }
    }
}

/// `GET /sandbox/installs/{uuid}/config`: the config vars with their values.
pub(super) async fn config(State(sandbox): State<Sandbox>, Path(uuid): Path<String>) -> Response {
    let Some(install) = sandbox.platform().find(&uuid) else {
        return (StatusCode::NOT_FOUND, html! { p { "This install does not exist." } }).into_response();
    };
    let attachment = install.attachments().first().and_then(|first| first["name"].as_str().map(str::to_owned));
    let prefix = attachment.unwrap_or_else(|| sandbox.addon().prefix.clone());
    let vars = config_vars_of(&sandbox, &install, &prefix);
    html! {
        div .config .open {
            dl {
                @for (name, value) in &vars { div { dt { code { (name) } } dd { code { (value) } } } }
            }
        }
    }
    .into_response()
}
