//! Timeline of the journal, newest entry first.

use axum::extract::{Query, State};
use maitre_conformance::split_origin;
use maud::{Markup, html};

use super::{View, layout::time_of_day, search};
use crate::{
    Sandbox,
    entry::{Direction, Finding, Head, Kind, Replay},
};

/// Number of lines on a page.
pub(super) const PAGE_SIZE: usize = 20;

pub(super) fn section(sandbox: &Sandbox, view: &View) -> Markup {
    let uuid = view.install.as_deref().filter(|uuid| !uuid.is_empty());
    let name = uuid.and_then(|uuid| sandbox.name_of(uuid));
    let only = view.only.as_deref().unwrap_or_default();
    let filter = |value: &str, label: &str| {
        let href = view.link(|view| {
            view.only = Some(value.to_owned());
            view.before = None;
        });
        html! { a href=(href) data-only=(value) aria-current=[(only == value).then_some("true")] { (label) } }
    };
    html! {
        section #timeline aria-labelledby="timeline-title" {
            div .title {
                h2 #timeline-title { "Timeline" @if let Some(name) = &name { " of " (name) } }
                nav .filters aria-label="Timeline filters" {
                    (filter("", "all")) (filter("problems", "problems")) (filter("differing", "replayed differently"))
                }
                (menu(sandbox, uuid))
            }
            (search::form(sandbox, view))
            (lines(sandbox, view))
        }
    }
}

fn menu(sandbox: &Sandbox, uuid: Option<&str>) -> Markup {
    html! {
        details .menu {
            summary .button { "Export, replay" }
            div .popover {
                form method="get" action="/sandbox/export.json" {
                    @if let Some(uuid) = uuid { input type="hidden" name="install" value=(uuid); }
                    p { "Download the calls" @if uuid.is_some() { " of this install" } "." }
                    label .check { input type="checkbox" name="secrets" value="true"; " Include secrets (required for replay)" }
                    div .buttons {
                        button type="submit" { "JSON" }
                        button type="submit" formaction="/sandbox/export.har" { "HAR" }
                    }
                }
                form method="post" action="/sandbox/replay" data-quiet="true" {
                    @if let Some(uuid) = uuid { input type="hidden" name="install" value=(uuid); }
                    p { "Send the recorded calls of " (sandbox.marketplace_title()) " to the add-on again. Each line then shows both statuses." }
                    button type="submit" { "Replay" @if uuid.is_some() { " this install" } @else { " all" } }
                }
            }
        }
    }
}

/// `GET /sandbox/timeline`: the lines only, for the script of an open page.
pub(super) async fn fragment(State(sandbox): State<Sandbox>, Query(view): Query<View>) -> Markup {
    lines(&sandbox, &view)
}

fn lines(sandbox: &Sandbox, view: &View) -> Markup {
    let page = sandbox.journal().store().page(&view.filter(sandbox), PAGE_SIZE + 1);
    let more = page.len() > PAGE_SIZE;
    let oldest = page.get(PAGE_SIZE - 1).map(|(id, _)| *id);
    html! {
        div #lines data-filtered[view.is_filtered()] {
            @if page.is_empty() {
                p .empty .card {
                    @match view.only.as_deref() {
                        Some("problems") => "No problems.",
                        Some("differing") => "No replayed call got another status than before.",
                        _ if view.is_filtered() => "No call matches.",
                        _ => "No calls yet. Each call appears here with its response.",
                    }
                }
            }
            p .legend .wide[sandbox.marketplace_title().len() > 8] aria-hidden="true" { span { "customer" } span { (sandbox.marketplace_title()) } span { "add-on" } }
            ol .lines {
                @for (position, entry) in page.iter().enumerate().take(PAGE_SIZE) { (line(sandbox, entry, page.get(position + 1))) }
            }
            @if let (true, Some(oldest)) = (more, oldest) {
                nav .pages aria-label="Older lines" {
                    a .button #older href=(view.link(|view| view.before = Some(oldest))) rel="next" { "Older" }
                }
            }
        }
    }
}

/// Returns the operation of an entry, as the id of its first entry.
fn operation_of((id, head): &(i64, Head)) -> Option<i64> {
    head.uuid.as_ref().map(|_| head.operation_of(*id))
}

/// Renders one line. The script fetches request and response when the line is opened. A line joins `below`, the next one, if
/// both belong to one operation; the script joins the lines that it inserts.
pub(super) fn line(sandbox: &Sandbox, entry: &(i64, Head), below: Option<&(i64, Head)>) -> Markup {
    let ((id, head), operation) = (entry, operation_of(entry));
    let joins = operation.is_some() && operation == below.and_then(operation_of);
    let name = head.uuid.as_deref().and_then(|uuid| sandbox.name_of(uuid));
    let is_note = head.direction == Direction::Internal;
    html! {
        li .line .note[is_note] .bad[head.has_problem()] .joins[joins] id={ "line-" (id) } data-id=(id)
            data-operation=[operation] data-install=[head.uuid.as_deref()] data-problem[head.has_problem()] {
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
        @match &head.replay {
            Some(replay) => (then_and_now(head, *replay)),
            None => (status(head)),
        }
        span .duration { @if let Some(duration) = head.duration_ms { (duration) " ms" } }
    }
}

/// Renders the recorded and the new status of a replayed call.
pub(super) fn then_and_now(head: &Head, replay: Replay) -> Markup {
    let then = replay.then.map_or_else(|| "no response".to_owned(), |status| status.to_string());
    html! {
        span .replay .differs[replay.differs] {
            span .then { "then " (then) } " "
            span .sr { @if replay.differs { "different" } @else { "same" } ", now " }
            (status(head))
        }
    }
}

/// Renders caller and callee.
fn direction(sandbox: &Sandbox, direction: Direction) -> Markup {
    let (marketplace, addon) = (sandbox.marketplace_title(), &sandbox.addon().name);
    let (symbol, label) = match direction {
        Direction::ToAddon => ("#direction-to-addon", format!("{marketplace} to {addon}")),
        Direction::FromAddon => ("#direction-from-addon", format!("{addon} to {marketplace}")),
        Direction::FromCustomer => ("#direction-from-customer", format!("Customer to {marketplace}")),
        Direction::Internal => return html! { span {} },
    };
    html! { svg .direction role="img" width="160" height="14" { title { (label) } use href=(symbol) {} } }
}

fn path(head: &Head) -> &str {
    let (_, path) = split_origin(&head.url);
    path.split('?').next().unwrap_or_default()
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
