//! The installs, and what can be done with them.

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

/// So many installs stand on a page.
const PAGE: usize = 12;

pub(super) fn section(sandbox: &Sandbox, view: &View) -> Markup {
    html! {
        section #order .card aria-labelledby="order-title" {
            h2 #order-title { "Install" }
            form .row method="post" action="/sandbox/installs" data-quiet="true" {
                label { "Plan" select name="plan" { (plans(&sandbox.addon().plans, None)) } }
                label { "App" input name="app" placeholder="a new one" autocomplete="off" spellcheck="false" maxlength="60"
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

/// Regions of Heroku's schema, as a provision names them.
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

/// `GET /sandbox/installs`: the list alone, for a page that is open.
pub(super) async fn fragment(State(sandbox): State<Sandbox>, Query(view): Query<View>) -> Markup {
    list(&sandbox, &view)
}

fn list(sandbox: &Sandbox, view: &View) -> Markup {
    let wants_removed = view.removed.is_some();
    let mut installs = sandbox.platform().installs();
    let all = installs.len();
    installs.retain(|install| wants_removed || install.state() != Stage::Deprovisioned);
    let hidden = all - installs.len();
    installs.sort_by_cached_key(|install| std::cmp::Reverse((install.ordered_at(), install.uuid().to_owned())));
    let pages = installs.len().div_ceil(PAGE).max(1);
    let page = view.page.min(pages - 1);
    let shown = installs.iter().skip(page * PAGE).take(PAGE);
    html! {
        section #installs aria-labelledby="installs-title" {
            div .title {
                h2 #installs-title { "Installs" }
                span .count { (installs.len()) }
                @if hidden > 0 { a .quiet href=(view.link(|view| view.removed = Some("shown".to_owned()))) { "show " (hidden) " removed" } }
                @if wants_removed { a .quiet href=(view.link(|view| view.removed = None)) { "hide removed" } }
            }
            @if installs.is_empty() {
                p .empty .card { "No customer has installed " (sandbox.addon().name) " yet. Be the first: choose a plan and press "
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
                strong { (plan) } " on " (install.app()) ", ordered at " (time_of_day(install.ordered_at())) " · "
                a .quiet href=(view.link(|view| { view.install = Some(uuid.to_owned()); view.before = None; })) { "timeline" span .sr { " of " (name) } }
            }
            @if let Some(message) = install.message() { p .message { "“" (message) "”" } }
            @if let Some(deadline) = install.deadline() { p .wait { (waiting(sandbox, install, &day_and_time(deadline))) } }
            @if is_live {
                (config_closed(install))
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

fn waiting(sandbox: &Sandbox, install: &Install, deadline: &str) -> String {
    let retry = sandbox.retry_of(install.uuid());
    match (install.state(), retry) {
        (Stage::Provisioning, Some(retry)) => format!(
            "Not answered after {} tries. Heroku asks again at {}, and gives up at {deadline}.",
            retry.attempts,
            day_and_time(retry.due)
        ),
        (Stage::Provisioning, None) if install.answered() == Some(202) => {
            format!("Answered 202. Heroku removes it at {deadline} unless it is marked provisioned.")
        }
        (Stage::Deprovisioning, Some(retry)) => {
            format!("Its removal was not answered. Heroku asks again at {}.", day_and_time(retry.due))
        }
        _ => "Heroku asks the add-on.".to_owned(),
    }
}

pub(super) fn plans(plans: &[Plan], current: Option<&str>) -> Markup {
    // the first one that it is not on
    let chosen = current.and_then(|current| plans.iter().position(|plan| plan.name() != current)).unwrap_or(0);
    html! {
        @for (place, plan) in plans.iter().enumerate() {
            option value=(plan.name()) selected[place == chosen] { (plan.name()) }
        }
    }
}

/// The names of the config vars; the values are fetched when they are asked for.
fn config_closed(install: &Install) -> Markup {
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
    let text = |attachment: &serde_json::Value, at: &str| {
        attachment.pointer(at).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    let can_attach = sandbox.addon().has("attachable") && install.state() == Stage::Provisioned;
    html! {
        @if attachments.len() > 1 || can_attach {
            details .more {
                summary { "Attached " (attachments.len()) " time(s)" }
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

/// `GET /sandbox/installs/{uuid}/config`: the values, for eyes that asked for them.
pub(super) async fn config(State(sandbox): State<Sandbox>, Path(uuid): Path<String>) -> Response {
    let Some(install) = sandbox.platform().find(&uuid) else {
        return (StatusCode::NOT_FOUND, html! { p { "There is no such install." } }).into_response();
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
