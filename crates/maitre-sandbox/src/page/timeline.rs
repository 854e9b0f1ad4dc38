//! Timeline of the journal, newest entry first.

use axum::extract::{Query, State};
use maud::{Markup, html};

use super::{View, layout::time_of_day};
use crate::{
    Sandbox,
    entry::{Direction, Finding, Head, Kind},
};

/// Number of lines on a page.
pub(super) const PAGE_SIZE: usize = 50;

pub(super) fn section(sandbox: &Sandbox, view: &View) -> Markup {
    let uuid = view.install.as_deref().filter(|uuid| !uuid.is_empty());
    let name = uuid.and_then(|uuid| sandbox.name_of(uuid));
    let only_problems = view.filter().problems;
    html! {
        section #timeline aria-labelledby="timeline-title" {
            div .title {
                h2 #timeline-title { "Timeline" @if let Some(name) = &name { " of " (name) } }
                nav .filters aria-label="Timeline filters" {
                    a href=(view.link(|view| { view.only = None; view.before = None; })) aria-current=[(!only_problems).then_some("true")] { "all" }
                    a href=(view.link(|view| { view.only = Some("problems".to_owned()); view.before = None; })) aria-current=[only_problems.then_some("true")] { "problems" }
                    @if uuid.is_some() { a .quiet href=(view.link(|view| { view.install = None; view.before = None; })) { "all installs" } }
                }
                (export(uuid))
            }
            (lines(sandbox, view))
        }
    }
}

fn export(uuid: Option<&str>) -> Markup {
    html! {
        details .menu {
            summary { "Export, replay" }
            form method="get" action="/sandbox/export.json" {
                @if let Some(uuid) = uuid { input type="hidden" name="install" value=(uuid); }
                label .check { input type="checkbox" name="secrets" value="true"; " include secrets (required for replay)" }
                div .buttons {
                    button type="submit" { "JSON" }
                    button type="submit" formaction="/sandbox/export.har" { "HAR" }
                }
            }
            form method="post" action="/sandbox/replay" data-quiet="true" {
                @if let Some(uuid) = uuid { input type="hidden" name="install" value=(uuid); }
                p { "Sends Heroku's recorded calls to the add-on again." }
                button type="submit" { "Replay" @if uuid.is_some() { " this install" } @else { " all" } }
            }
        }
    }
}

/// `GET /sandbox/timeline`: the lines only, for the script of an open page.
pub(super) async fn fragment(State(sandbox): State<Sandbox>, Query(view): Query<View>) -> Markup {
    lines(&sandbox, &view)
}

fn lines(sandbox: &Sandbox, view: &View) -> Markup {
    let page = sandbox.journal().store().page(&view.filter(), PAGE_SIZE + 1);
    let more = page.len() > PAGE_SIZE;
    let oldest = page.get(PAGE_SIZE - 1).map(|(id, _)| *id);
    html! {
        div #lines {
            @if page.is_empty() {
                p .empty .card { @if view.filter().problems { "No problems." } @else { "No calls yet. Each call appears here with its response." } }
            }
            p .legend aria-hidden="true" { span { "customer" } span { "Heroku" } span { "add-on" } }
            ol .lines { @for (id, head) in page.iter().take(PAGE_SIZE) { (line(sandbox, *id, head)) } }
            @if let (true, Some(oldest)) = (more, oldest) {
                nav .pages aria-label="Older lines" {
                    a #older href=(view.link(|view| view.before = Some(oldest))) rel="next" { "Older" }
                }
            }
        }
    }
}

/// Renders one line. The script fetches request and response when the line is opened.
pub(super) fn line(sandbox: &Sandbox, id: i64, head: &Head) -> Markup {
    let name = head.uuid.as_deref().and_then(|uuid| sandbox.name_of(uuid));
    let is_note = head.direction == Direction::Internal;
    html! {
        li .line .note[is_note] .bad[head.has_problem()] id={ "line-" (id) } data-id=(id) data-install=[head.uuid.as_deref()]
            data-problem[head.has_problem()] {
            @if is_note {
                div .summary { (summary(sandbox, head, name.as_deref())) }
            } @else {
                details data-load={ "/sandbox/exchanges/" (id) "/raw" } {
                    summary { (summary(sandbox, head, name.as_deref())) }
                    div .raw { a href={ "/sandbox/exchanges/" (id) } { "Request and response" } }
                }
            }
            (findings(&head.findings))
        }
    }
}

fn summary(sandbox: &Sandbox, head: &Head, name: Option<&str>) -> Markup {
    html! {
        span .at { (time_of_day(head.started_at)) }
        (direction(sandbox, head.direction))
        span .what {
            strong { (head.title) }
            @if let Some(fault) = &head.fault { " " span .tag .fault { (fault) } }
            @if head.resent_from.is_some() { " " span .tag { "sent again" } }
            @if !head.method.is_empty() {
                span .call {
                    code { (head.method) " " (abbreviate(path(head))) }
                    @if let Some(name) = name { " " span .name { (name) } }
                }
            }
        }
        (status(head))
        span .duration { @if let Some(duration) = head.duration_ms { (duration) " ms" } }
    }
}

/// Renders caller and callee.
fn direction(sandbox: &Sandbox, direction: Direction) -> Markup {
    let addon = &sandbox.addon().name;
    let (symbol, label) = match direction {
        Direction::ToAddon => ("#direction-to-addon", format!("Heroku to {addon}")),
        Direction::FromAddon => ("#direction-from-addon", format!("{addon} to Heroku")),
        Direction::FromCustomer => ("#direction-from-customer", "Customer to Heroku".to_owned()),
        Direction::Internal => return html! { span {} },
    };
    html! { svg .direction role="img" width="150" height="14" aria-label=(label) { title { (label) } use href=(symbol) {} } }
}

fn path(head: &Head) -> &str {
    let url = head.url.split('?').next().unwrap_or_default();
    url.find("://").and_then(|place| url[place + 3..].find('/').map(|slash| &url[place + 3 + slash..])).unwrap_or(url)
}

/// Abbreviates the UUIDs of a path.
fn abbreviate(path: &str) -> String {
    let is_uuid = |part: &str| part.len() == 36 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let parts = path.split('/').map(|part| if is_uuid(part) { format!("{}…", &part[..8]) } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("/")
}

pub(super) fn status(head: &Head) -> Markup {
    html! {
        @match (head.direction, head.status) {
            (Direction::Internal, _) => span .pill .none {},
            (_, Some(status)) => span .pill data-status=(status / 100) { (status) },
            _ if !head.completed => span .pill .waiting { "waiting" },
            _ if head.kind == Kind::SignOn => span .pill { "browser" },
            _ => span .pill data-status="0" { "no response" },
        }
    }
}

pub(super) fn findings(findings: &[Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            ul .findings {
                @for finding in findings {
                    li {
                        span .mark .bad aria-hidden="true" { "!" }
                        span { (finding.message) " " a href={ "/sandbox/checks/" (finding.check) } { code { (finding.check) } } }
                    }
                }
            }
        }
    }
}
