//! What happened, the newest first.

use axum::extract::{Query, State};
use maud::{Markup, html};

use super::{View, layout::time_of_day};
use crate::{
    Sandbox,
    journal::{Direction, Finding, Head},
};

/// So many lines stand on a page.
pub(super) const PAGE: usize = 50;

pub(super) fn section(sandbox: &Sandbox, view: &View) -> Markup {
    let about = view.install.as_deref().filter(|uuid| !uuid.is_empty());
    let name = about.and_then(|uuid| sandbox.name_of(uuid));
    let is_trouble = view.filter().bad;
    html! {
        section #timeline aria-labelledby="timeline-title" {
            div .title {
                h2 #timeline-title { "Timeline" @if let Some(name) = &name { " of " (name) } }
                nav .filters aria-label="What the timeline shows" {
                    a href=(view.link(|view| { view.only = None; view.before = None; })) aria-current=[(!is_trouble).then_some("true")] { "all" }
                    a href=(view.link(|view| { view.only = Some("trouble".to_owned()); view.before = None; })) aria-current=[is_trouble.then_some("true")] { "trouble" }
                    @if about.is_some() { a .quiet href=(view.link(|view| { view.install = None; view.before = None; })) { "every install" } }
                }
                (export(about))
            }
            (lines(sandbox, view))
        }
    }
}

fn export(about: Option<&str>) -> Markup {
    html! {
        details .menu {
            summary { "Export, replay" }
            form method="get" action="/sandbox/export.json" {
                @if let Some(uuid) = about { input type="hidden" name="install" value=(uuid); }
                label .check { input type="checkbox" name="secrets" value="true"; " with secrets, to replay it" }
                div .buttons {
                    button type="submit" { "JSON" }
                    button type="submit" formaction="/sandbox/export.har" { "HAR" }
                }
            }
            form method="post" action="/sandbox/replay" data-quiet="true" {
                @if let Some(uuid) = about { input type="hidden" name="install" value=(uuid); }
                p { "Sends the add-on once more what Heroku sent it." }
                button type="submit" { "Replay" @if about.is_some() { " this install" } @else { " all" } }
            }
        }
    }
}

/// `GET /sandbox/timeline`: the lines alone, for a page that is open.
pub(super) async fn fragment(State(sandbox): State<Sandbox>, Query(view): Query<View>) -> Markup {
    lines(&sandbox, &view)
}

fn lines(sandbox: &Sandbox, view: &View) -> Markup {
    let page = sandbox.journal().store().page(&view.filter(), PAGE + 1);
    let more = page.len() > PAGE;
    let oldest = page.get(PAGE - 1).map(|(id, _)| *id);
    html! {
        div #lines {
            @if page.is_empty() {
                p .empty .card { @if view.filter().bad { "Nothing went wrong." } @else { "Nothing has happened yet. Each call will stand here, with its answer, as it comes." } }
            }
            p .legend aria-hidden="true" { span { "customer" } span { "Heroku" } span { "add-on" } }
            ol .lines { @for (id, head) in page.iter().take(PAGE) { (line(sandbox, *id, head)) } }
            @if let (true, Some(oldest)) = (more, oldest) {
                nav .pages aria-label="Older lines" {
                    a #older href=(view.link(|view| view.before = Some(oldest))) rel="next" { "Older" }
                }
            }
        }
    }
}

/// One line. What stands behind it is fetched when it is opened.
pub(super) fn line(sandbox: &Sandbox, id: i64, head: &Head) -> Markup {
    let name = head.uuid.as_deref().and_then(|uuid| sandbox.name_of(uuid));
    let is_note = head.way == Direction::Internal;
    html! {
        li .line .note[is_note] .bad[head.is_bad()] id={ "line-" (id) } data-id=(id) data-install=[head.uuid.as_deref()]
            data-trouble[head.is_bad()] {
            @if is_note {
                div .summary { (summary(sandbox, head, name.as_deref())) }
            } @else {
                details data-load={ "/sandbox/exchanges/" (id) "/raw" } {
                    summary { (summary(sandbox, head, name.as_deref())) }
                    div .raw { a href={ "/sandbox/exchanges/" (id) } { "Request and answer" } }
                }
            }
            (findings(&head.findings))
        }
    }
}

fn summary(sandbox: &Sandbox, head: &Head, name: Option<&str>) -> Markup {
    html! {
        span .at { (time_of_day(head.at)) }
        (way(sandbox, head.way))
        span .what {
            strong { (head.title) }
            @if let Some(fault) = &head.fault { " " span .tag .fault { (fault) } }
            @if head.again.is_some() { " " span .tag { "sent again" } }
            @if !head.method.is_empty() {
                span .call {
                    code { (head.method) " " (short(path(head))) }
                    @if let Some(name) = name { " " span .who { (name) } }
                }
            }
        }
        (status(head))
        span .took { @if let Some(took) = head.took { (took) " ms" } }
    }
}

/// Who asked whom.
fn way(sandbox: &Sandbox, way: Direction) -> Markup {
    let addon = &sandbox.addon().name;
    let (symbol, told) = match way {
        Direction::ToAddon => ("#way-to", format!("Heroku to {addon}")),
        Direction::FromAddon => ("#way-from", format!("{addon} to Heroku")),
        Direction::FromCustomer => ("#way-customer", "Customer to Heroku".to_owned()),
        Direction::Internal => return html! { span {} },
    };
    html! { svg .way role="img" width="150" height="14" aria-label=(told) { title { (told) } use href=(symbol) {} } }
}

fn path(head: &Head) -> &str {
    let url = head.url.split('?').next().unwrap_or_default();
    url.find("://").and_then(|place| url[place + 3..].find('/').map(|slash| &url[place + 3 + slash..])).unwrap_or(url)
}

/// The path with no more of a uuid than its beginning.
fn short(path: &str) -> String {
    let is_uuid = |part: &str| part.len() == 36 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let parts = path.split('/').map(|part| if is_uuid(part) { format!("{}…", &part[..8]) } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("/")
}

pub(super) fn status(head: &Head) -> Markup {
    html! {
        @match (head.way, head.status) {
            (Direction::Internal, _) => span .pill .nothing {},
            (_, Some(status)) => span .pill data-status=(status / 100) { (status) },
            _ if !head.ended => span .pill .waiting { "waiting" },
            _ if head.kind == crate::journal::Kind::SignOn => span .pill { "browser" },
            _ => span .pill data-status="0" { "no answer" },
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
                        span { (finding.sentence) " " a href={ "/sandbox/checks/" (finding.check) } { code { (finding.check) } } }
                    }
                }
            }
        }
    }
}
