//! One call: the raw request and the answer, and what can be done with them.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maitre_testkit::mask;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    layout::{day_and_time, page},
    timeline::{findings, status},
};
use crate::{
    Sandbox,
    addon::split,
    journal::{Entry, Message},
};

/// Whether secrets are to be seen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SecretsQuery {
    secrets: Option<String>,
}

/// `GET /sandbox/exchanges/{id}`.
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    Path(id): Path<i64>,
    Query(query): Query<SecretsQuery>,
) -> Response {
    let Some(entry) = sandbox.journal().store().get(id) else { return gone(&sandbox) };
    let head = &entry.head;
    let body = html! {
        article .card .exchange aria-labelledby="exchange-title" {
            div .title { h1 #exchange-title { (head.title) } (status(head)) }
            p .facts {
                (day_and_time(head.at))
                @if let Some(name) = head.uuid.as_deref().and_then(|uuid| sandbox.name_of(uuid)) { " · " (name) }
                @if let Some(took) = head.took { " · " (took) " ms" }
                @if let Some(again) = head.again { " · " a href={ "/sandbox/exchanges/" (again) } { "sent once more from this one" } }
            }
            (findings(&head.findings))
            (inside(&entry, query.secrets.is_some()))
        }
    };
    page(&sandbox, &format!("{} · maître sandbox", head.title), &body).into_response()
}

/// `GET /sandbox/exchanges/{id}/raw`: the same without the page around it, for one that is open.
pub(super) async fn raw(
    State(sandbox): State<Sandbox>,
    Path(id): Path<i64>,
    Query(query): Query<SecretsQuery>,
) -> Response {
    match sandbox.journal().store().get(id) {
        Some(entry) => inside(&entry, query.secrets.is_some()).into_response(),
        None => (StatusCode::NOT_FOUND, html! { p { "This call is forgotten." } }).into_response(),
    }
}

fn inside(entry: &Entry, secrets: bool) -> Markup {
    let head = &entry.head;
    let url = if secrets { head.url.clone() } else { mask::url(&head.url) };
    html! {
        div .inside id={ "inside-" (entry.id) } {
            div .halves {
                section aria-label="Request" {
                    h4 { "Request" }
                    pre .start tabindex="0" { code { (head.method) " " (url) } }
                    (message(&entry.request, secrets))
                }
                section aria-label="Answer" {
                    h4 { "Answer" }
                    @match (&entry.answer, head.status) {
                        (Some(answer), Some(status)) => {
                            pre .start tabindex="0" { code { (status) } }
                            (message(answer, secrets))
                        }
                        _ if !head.ended => p .empty { "It has not come yet." },
                        _ if head.kind == crate::journal::Kind::SignOn => p .empty { "The browser posted this form, and the answer went to the browser." },
                        _ => p .empty { "None came." },
                    }
                }
            }
            div .actions {
                @if head.is_repeatable() {
                    form method="post" action={ "/sandbox/exchanges/" (entry.id) "/send" } data-quiet="true" {
                        button type="submit" name="times" value="1" { "Send again" }
                        " "
                        button type="submit" name="times" value="2" { "Send twice" }
                    }
                    a .button href={ "/sandbox/exchanges/" (entry.id) "/edit" } { "Send with …" }
                }
                @if secrets {
                    a .quiet href={ "/sandbox/exchanges/" (entry.id) } data-swap={ "/sandbox/exchanges/" (entry.id) "/raw" } { "Mask secrets" }
                } @else {
                    a .quiet href={ "/sandbox/exchanges/" (entry.id) "?secrets=shown" } data-swap={ "/sandbox/exchanges/" (entry.id) "/raw?secrets=shown" } { "Show secrets" }
                }
            }
        }
    }
}

fn message(message: &Message, secrets: bool) -> Markup {
    let body = body(message, secrets);
    html! {
        @if !message.headers.is_empty() {
            dl .headers {
                @for (name, value) in &message.headers {
                    div { dt { (name) } dd { @if secrets { (value) } @else { (mask::header(name, value)) } } }
                }
            }
        }
        @if !body.is_empty() { pre .body tabindex="0" { code { (body) } } }
    }
}

/// As it was sent; without its secrets, JSON is also spread out.
fn body(message: &Message, secrets: bool) -> String {
    if secrets {
        return String::from_utf8_lossy(&message.body).into_owned();
    }
    let masked = mask::body(message.header("content-type"), &message.body);
    match serde_json::from_str::<serde_json::Value>(&masked) {
        Ok(json) if json.is_object() || json.is_array() => serde_json::to_string_pretty(&json).unwrap_or(masked),
        _ if message.header("content-type").is_some_and(|kind| kind.contains("form-urlencoded")) => {
            masked.replace('&', "\n&")
        }
        _ => masked,
    }
}

/// `GET /sandbox/exchanges/{id}/edit`: the request, to be changed before it is sent.
pub(super) async fn edit(State(sandbox): State<Sandbox>, Path(id): Path<i64>) -> Response {
    let entry = sandbox.journal().store().get(id).filter(|entry| entry.head.is_repeatable());
    let Some(entry) = entry else { return gone(&sandbox) };
    let (origin, path) = split(&entry.head.url);
    let headers: Vec<_> = entry.request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let body = html! {
        article .card .exchange aria-labelledby="edit-title" {
            h1 #edit-title { "Send " (entry.head.title) " with …" }
            p { "Change what you like: the answer is shown, and the marketplace takes no notice of it. The secrets are the real ones." }
            form .edit method="post" action={ "/sandbox/exchanges/" (id) "/send-with" } {
                div .row {
                    label { "Method" input name="method" value=(entry.head.method) required maxlength="20" pattern="[A-Za-z]+" spellcheck="false"; }
                    label .wide { "Path at " (origin) input name="path" value=(path) required spellcheck="false"; }
                }
                label { "Headers" textarea name="headers" rows=(headers.len() + 1) spellcheck="false" { (headers.join("\n")) } }
                label { "Body" textarea name="body" rows="12" spellcheck="false" { (String::from_utf8_lossy(&entry.request.body)) } }
                div .actions { button .primary type="submit" { "Send" } a .quiet href="/" { "Back" } }
            }
        }
    };
    page(&sandbox, "Send with … · maître sandbox", &body).into_response()
}

pub(super) fn gone(sandbox: &Sandbox) -> Response {
    let body = html! { section .card { h1 { "Nothing is known of this call" } p { "It was never made, or the journal has forgotten it." } } };
    (StatusCode::NOT_FOUND, page(sandbox, "Not found · maître sandbox", &body)).into_response()
}
