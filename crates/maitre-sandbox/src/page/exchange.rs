//! Page of one call: its request and response, and buttons to send it again.

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maitre_conformance::split_origin;
use maitre_testkit::mask;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    form::not_found,
    layout::{copy_button_for, day_and_time, page},
    timeline::{findings, status, then_and_now},
};
use crate::{
    Sandbox,
    entry::{Entry, Kind, Message},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SecretsQuery {
    /// Present if secrets are to be shown.
    secrets: Option<String>,
}

/// `GET /sandbox/exchanges/{id}`.
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    Path(id): Path<i64>,
    Query(query): Query<SecretsQuery>,
) -> Response {
    let Some(entry) = sandbox.journal().store().get(id) else { return not_found(&sandbox) };
    let head = &entry.head;
    let body = html! {
        article .card .exchange aria-labelledby="exchange-title" {
            div .title { h1 #exchange-title { (head.title) } (status(head)) }
            p .facts {
                (day_and_time(head.started_at))
                @if let Some(name) = head.uuid.as_deref().and_then(|uuid| sandbox.name_of(uuid)) { " · " (name) }
                @if let Some(duration) = head.duration_ms { " · " (duration) " ms" }
                @if let Some(replay) = &head.replay { " · " (then_and_now(head, *replay)) }
                @if let Some(original) = head.resent_from { " · " a href={ "/sandbox/exchanges/" (original) } { "resent from this call" } }
            }
            (findings(&head.findings))
            (content(&entry, query.secrets.is_some(), Place::OwnPage))
        }
    };
    page(&sandbox, &format!("{} · maître sandbox", head.title), &body).into_response()
}

/// `GET /sandbox/exchanges/{id}/raw`: the content of the page only, for the script of an open page.
pub(super) async fn raw(
    State(sandbox): State<Sandbox>,
    Path(id): Path<i64>,
    Query(query): Query<SecretsQuery>,
) -> Response {
    match sandbox.journal().store().get(id) {
        Some(entry) => content(&entry, query.secrets.is_some(), Place::Timeline).into_response(),
        None => (StatusCode::NOT_FOUND, html! { p { "The sandbox no longer keeps this call." } }).into_response(),
    }
}

/// Place where a call is shown, which decides the level of its headings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    OwnPage,
    Timeline,
}

fn heading(place: Place, text: &str) -> Markup {
    html! { @match place { Place::OwnPage => h2 .part { (text) }, Place::Timeline => h3 .part { (text) } } }
}

fn content(entry: &Entry, secrets: bool, place: Place) -> Markup {
    let head = &entry.head;
    let operation = head.operation_of(entry.id);
    let url = if secrets { head.url.clone() } else { mask::url(&head.url) };
    html! {
        div .content id={ "content-" (entry.id) } {
            div .halves {
                div .half {
                    (heading(place, "Request"))
                    pre .start-line tabindex="0" { code { (head.method) " " (url) } }
                    (message(&entry.request, secrets))
                }
                div .half {
                    (heading(place, "Response"))
                    @match (&entry.response, head.status) {
                        (Some(response), Some(status)) => {
                            pre .start-line tabindex="0" { code { (status) } }
                            (message(response, secrets))
                        }
                        _ if !head.completed => p .empty { "No response yet." },
                        _ if head.kind == Kind::SignOn => p .empty { "The browser posted this form and received the response." },
                        _ => p .empty { "No response." },
                    }
                }
            }
            div .actions {
                @if head.is_to_addon() {
                    form method="post" action={ "/sandbox/exchanges/" (entry.id) "/send" } data-quiet="true" {
                        button type="submit" name="times" value="1" { "Send again" }
                        " "
                        button type="submit" name="times" value="2" { "Send twice" }
                    }
                    a .button href={ "/sandbox/exchanges/" (entry.id) "/edit" } { "Edit and send" }
                }
                @if !head.method.is_empty() {
                    (copy_button_for("Copy as curl", &format!("/sandbox/exchanges/{}/curl", entry.id)))
                }
                @if head.uuid.is_some() { a .quiet href={ "/?operation=" (operation) } { "All calls of this operation" } }
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

/// Returns the body. A masked body is also indented.
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

/// `GET /sandbox/exchanges/{id}/edit`: a form to edit the request and send it.
pub(super) async fn edit(State(sandbox): State<Sandbox>, Path(id): Path<i64>) -> Response {
    let entry = sandbox.journal().store().get(id).filter(|entry| entry.head.is_to_addon());
    let Some(entry) = entry else { return not_found(&sandbox) };
    let (origin, path) = split_origin(&entry.head.url);
    let headers: Vec<_> = entry.request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let body = html! {
        article .card .exchange aria-labelledby="edit-title" {
            h1 #edit-title { "Edit and send: " (entry.head.title) }
            p { "The sandbox shows the response but does not act on it. The secrets below are the real ones." }
            form .edit method="post" action={ "/sandbox/exchanges/" (id) "/send-with" } {
                div .row {
                    label { "Method" input name="method" value=(entry.head.method) required maxlength="20" pattern="[A-Za-z]+" spellcheck="false"; }
                    label .wide { "Path on " (origin) input name="path" value=(path) required spellcheck="false"; }
                }
                label { "Headers" textarea name="headers" rows=(headers.len() + 1) spellcheck="false" { (headers.join("\n")) } }
                label { "Body" textarea name="body" rows="12" spellcheck="false" { (String::from_utf8_lossy(&entry.request.body)) } }
                div .actions { button .primary type="submit" { "Send" } a .quiet href="/" { "Back" } }
            }
        }
    };
    page(&sandbox, "Edit and send · maître sandbox", &body).into_response()
}
