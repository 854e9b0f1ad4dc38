//! Installs and their buttons.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use maitre_testkit::platform::{Install, InstallPage, State as Stage};
use maud::{Markup, html};
use time::OffsetDateTime;

use super::{
    View,
    layout::{copy_button, day_and_time, time_of_day},
};
use crate::{
    Plan, Sandbox,
    contract::{Action, Profile, is_suspended},
    customer::config_vars_of,
    retry::{Lifecycle, Retry},
    trial::Trial,
};

/// Number of installs on a page.
const PAGE_SIZE: usize = 15;

/// Maximum number of installs that are shown with their details.
const MAX_OPEN: usize = 3;

/// Form that installs the add-on.
pub(super) fn form(sandbox: &Sandbox) -> Markup {
    let Profile { customer, options, regions, .. } = sandbox.profile();
    html! {
        section #install-form .card aria-labelledby="install-form-title" {
            h2 #install-form-title { "Install" }
            form .row method="post" action="/sandbox/installs" data-quiet="true" {
                label { "Plan" select name="plan" { (plans(&sandbox.addon().plans, None)) } }
                label { (customer) input name="app" placeholder={ "new " (customer.to_lowercase()) } autocomplete="off" spellcheck="false" maxlength="60"
                    pattern="[a-z][a-z0-9\\-]*" title="lower-case letters, digits and hyphens"; }
                button .primary type="submit" { "Install" }
                @if let Some(options) = options {
                    details .more {
                        summary { (options) @if !regions.is_empty() { " and region" } }
                        label { (options) input name="options" placeholder="retention=7d trace=true" autocomplete="off" spellcheck="false"; }
                        @if !regions.is_empty() {
                            label { "Region" select name="region" {
                                @for region in *regions { option value=(region) { (region.trim_start_matches("amazon-web-services::")) } }
                            } }
                        }
                    }
                }
            }
        }
    }
}

/// `GET /sandbox/installs`: the list only, for the script of an open page.
pub(super) async fn fragment(State(sandbox): State<Sandbox>, Query(view): Query<View>) -> Markup {
    section(&sandbox, &view)
}

pub(super) fn section(sandbox: &Sandbox, view: &View) -> Markup {
    let show_removed = view.removed.is_some();
    let (InstallPage { installs, number, pages, .. }, total, live) =
        sandbox.install_page(view.page, PAGE_SIZE, show_removed);
    let listed = if show_removed { total } else { live };
    html! {
        section #installs aria-labelledby="installs-title" {
            div .title {
                h2 #installs-title tabindex="-1" { "Installs" }
                span .count { (listed) }
                @if show_removed { a .quiet href=(view.link(|view| view.removed = None)) { "hide removed" } }
                @else if total > live { a .quiet href=(view.link(|view| view.removed = Some("shown".to_owned()))) { "show " (total - live) " removed" } }
                @if total > 0 { (menu(sandbox, live)) }
            }
            @if installs.is_empty() {
                p .empty .card { "No customer has installed " (sandbox.addon().name) " yet. Choose a plan and press "
                    strong { "Install" } "." }
            }
            ol .installs {
                @for install in &installs { (card(sandbox, view, install, listed <= MAX_OPEN || view.is_open(install.uuid()))) }
            }
            @if pages > 1 {
                nav .pages aria-label="Pages of installs" {
                    @if number > 0 { a .button href=(view.link(|view| view.page = number - 1)) rel="prev" { "Newer" } }
                    span { "Page " (number + 1) " of " (pages) }
                    @if number + 1 < pages { a .button href=(view.link(|view| view.page = number + 1)) rel="next" { "Older" } }
                }
            }
        }
    }
}

/// Menu for all installs.
fn menu(sandbox: &Sandbox, live: usize) -> Markup {
    html! {
        details .menu {
            summary .button { "All" span .sr { " installs" } }
            div .popover {
                form method="post" action="/sandbox/installs/remove-all" data-quiet="true" {
                    p { (sandbox.marketplace_title()) " deprovisions " (live) " install(s)." }
                    button .danger type="submit" disabled[live == 0] { "Remove all" }
                }
                form method="post" action="/sandbox/reset" data-quiet="true" {
                    p { "Forgets all installs without calling the add-on, and resets the timeline, the clock and the faults." }
                    button .danger type="submit" { "Reset" span .sr { " the sandbox" } }
                }
            }
        }
    }
}

/// Renders an install. The script fetches the details of a closed card when it is opened.
fn card(sandbox: &Sandbox, view: &View, install: &Install, is_open: bool) -> Markup {
    let (uuid, name, state, plan) = (install.uuid(), install.name(), install.state(), install.plan());
    html! {
        li .card .install id={ "install-" (uuid) } data-state=(state) data-name=(name) {
            details open[is_open] data-uuid=(uuid) {
                summary id={ "summary-" (uuid) } {
                    h3 { (name) }
                    span .pill data-state=(state) { (state) }
                    @if is_suspended(sandbox.facts(), uuid) { span .pill .suspended { "suspended" } }
                    span .facts { strong { (plan) } " on " (install.app()) ", " (time_of_day(install.created_at())) }
                }
                @if is_open { (details(sandbox, view, install, &name)) }
                @else { a .more href=(view.link(|view| view.open(uuid))) { "Details" span .sr { " of " (name) } } }
            }
        }
    }
}

fn details(sandbox: &Sandbox, view: &View, install: &Install, name: &str) -> Markup {
    let uuid = install.uuid();
    let is_live = install.state() != Stage::Deprovisioned;
    html! {
        @if let Some(message) = install.message() { p .message { "“" (message) "”" } }
        @if let Some(deadline) = install.deadline().or_else(|| pending_poll(sandbox, install)) { p .wait { (progress(sandbox, install, &day_and_time(deadline))) } }
        @if is_live {
            (config(sandbox, view, install))
            (attachments(sandbox, install))
            @if let Some(trial) = sandbox.trials().get(uuid) { (sign_on_result(trial)) }
        }
        div .actions {
            @if is_live { (actions(sandbox, install)) }
            a .quiet href=(view.link(|view| { view.install = Some(uuid.to_owned()); view.before = None; })) { "Timeline" span .sr { " of " (name) } }
        }
    }
}

fn actions(sandbox: &Sandbox, install: &Install) -> Markup {
    let (uuid, name) = (install.uuid(), install.name());
    let action = |what: &str| format!("/sandbox/installs/{uuid}/{what}");
    html! {
        @if install.state() == Stage::Provisioned {
            @if sandbox.contract().has_dashboard(install) {
                form method="post" action=(action("open")) target="_blank" {
                    button .primary type="submit" id={ "open-" (uuid) } { "Open dashboard" span .sr { " of " (name) } }
                }
            }
            @if sandbox.profile().sign_on_check.is_some() {
                form method="post" action=(action("try")) data-quiet="true" {
                    button .try type="submit" id={ "try-" (uuid) } { "Try sign-on" span .sr { " to " (name) } }
                }
            }
            form .joined method="post" action=(action("plan")) data-quiet="true" {
                select name="plan" aria-label={ "New plan of " (name) } id={ "plan-" (uuid) } {
                    (plans(&sandbox.addon().plans, Some(&install.plan())))
                }
                button type="submit" id={ "change-" (uuid) } { "Change" span .sr { " the plan of " (name) } }
            }
        }
        @for Action { name: what, label, field } in sandbox.contract().actions(install) {
            form .joined[field.is_some()] method="post" action=(action(&format!("actions/{what}"))) data-quiet="true" {
                @if let Some(field) = field {
                    input name="value" aria-label={ (field) " of " (name) } id={ (what) "-value-" (uuid) } required autocomplete="off"
                        spellcheck="false" maxlength="60" pattern="[a-z][a-z0-9\\-]*" title="lower-case letters, digits and hyphens"
                        placeholder=(field);
                }
                button type="submit" id={ (what) "-" (uuid) } { (label) span .sr { " " (name) } }
            }
        }
        form method="post" action=(action("remove")) data-quiet="true" {
            button .danger type="submit" id={ "remove-" (uuid) } { "Remove" span .sr { " " (name) } }
        }
    }
}

/// Shows the result of the last trial of a sign-on.
fn sign_on_result(trial: &Trial) -> Markup {
    html! {
        p .trial .bad[!trial.is_signed_in] {
            span .mark .good[trial.is_signed_in] .bad[!trial.is_signed_in] aria-hidden="true" { @if trial.is_signed_in { "✓" } @else { "!" } }
            span { "Sign-on: " (trial.text) " " a href={ "/sandbox/exchanges/" (trial.entry) } { "details" } }
        }
    }
}

/// Returns the time of the next request for the state of a pending operation.
fn pending_poll(sandbox: &Sandbox, install: &Install) -> Option<OffsetDateTime> {
    let retry = sandbox.inner().retries.find(install.uuid())?;
    (retry.call == Lifecycle::Poll).then_some(retry.due)
}

/// Describes the pending lifecycle call of an install.
fn progress(sandbox: &Sandbox, install: &Install, deadline: &str) -> String {
    let (retry, marketplace) = (sandbox.inner().retries.find(install.uuid()), sandbox.marketplace_title());
    match (install.state(), retry) {
        (_, Some(Retry { call: Lifecycle::Poll, due, .. })) => {
            format!("Answered 202. {marketplace} asks for the state at {}.", day_and_time(due))
        }
        (Stage::Provisioning, Some(retry)) => format!(
            "No final response after {} attempt(s). {marketplace} retries at {} and gives up at {deadline}.",
            retry.attempts,
            day_and_time(retry.due)
        ),
        (Stage::Provisioning, None) if install.provision_status() == Some(202) => {
            format!("Answered 202. {marketplace} deprovisions it at {deadline} unless it is completed.")
        }
        (Stage::Deprovisioning, Some(retry)) => {
            format!("The deprovision did not succeed. {marketplace} retries at {}.", day_and_time(retry.due))
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

/// Shows the config vars. The page only contains their values if the view asks for them.
fn config(sandbox: &Sandbox, view: &View, install: &Install) -> Markup {
    let (uuid, name, is_open) = (install.uuid(), install.name(), view.shows_values_of(install.uuid()));
    let vars = config_vars(sandbox, install);
    if vars.is_empty() {
        return html! {};
    }
    let lines: Vec<_> = vars.iter().map(|(name, value)| format!("{name}={value}")).collect();
    html! {
        div .config .open[is_open] {
            dl {
                @for (var, value) in &vars {
                    div {
                        dt { code { (var) } }
                        @if is_open { dd { code { (value) } (copy_button(var, value)) } }
                        @else { dd { span .hidden-value { "••••••••••" span .sr { "hidden" } } } }
                    }
                }
            }
            a .button .small href=(view.link(|view| view.toggle_values_of(uuid))) data-reveal="true" id={ "reveal-" (uuid) } {
                @if is_open { "Hide values" } @else { "Show values" } span .sr { " of " (name) }
            }
            @if is_open { " " button .copy .small type="button" data-copy=(lines.join("\n")) { "Copy all" span .sr { " of " (name) } } }
        }
    }
}

/// Returns the config vars of an install as its first app sees them.
fn config_vars(sandbox: &Sandbox, install: &Install) -> BTreeMap<String, String> {
    let attachment = install.attachments().first().and_then(|first| first["name"].as_str().map(str::to_owned));
    config_vars_of(sandbox, install, &attachment.unwrap_or_else(|| sandbox.addon().prefix.clone()))
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
