//! Forms that send recorded calls again.

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use maitre_conformance::split_origin;
use serde::Deserialize;

use super::form::{back, invalid, not_found};
use crate::{Recording, Sandbox, entry::Message};

#[derive(Debug, Deserialize)]
pub(super) struct RepeatForm {
    times: u32,
}

/// `POST /sandbox/exchanges/{id}/send`: sends the same request again, once or twice concurrently.
pub(super) async fn send(
    State(sandbox): State<Sandbox>,
    Path(id): Path<i64>,
    Form(form): Form<RepeatForm>,
) -> Response {
    match sandbox.send_again(id, form.times.clamp(1, 2)).await {
        Some(sent) => Redirect::to(&format!("/sandbox/exchanges/{sent}")).into_response(),
        None => not_found(&sandbox),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct EditedRequest {
    method: String,
    path: String,
    #[serde(default)]
    headers: String,
    #[serde(default)]
    body: String,
}

/// `POST /sandbox/exchanges/{id}/send-with`: sends an edited request to the host of the original one.
pub(super) async fn send_with(
    State(sandbox): State<Sandbox>,
    Path(id): Path<i64>,
    Form(form): Form<EditedRequest>,
) -> Response {
    let entry = sandbox.journal().store().get(id).filter(|entry| entry.head.is_to_addon());
    let Some(entry) = entry else { return not_found(&sandbox) };
    if !form.path.starts_with('/') || form.path.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return invalid(&sandbox, "The path must begin with a slash and must not contain spaces.");
    }
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()));
    let lines = form.headers.lines().filter(|line| !line.trim().is_empty());
    let Some(headers) = lines.map(header).collect::<Option<Vec<_>>>() else {
        return invalid(&sandbox, "Write each header as name: value.");
    };
    // browsers submit a textarea with CRLF line ends
    let message = Message { headers, body: form.body.replace("\r\n", "\n").into_bytes() };
    let url = format!("{}{}", split_origin(&entry.head.url).0, form.path);
    let sent = sandbox.send_edited(&form.method.to_uppercase(), &url, &message, &entry).await;
    Redirect::to(&format!("/sandbox/exchanges/{sent}")).into_response()
}

#[derive(Debug, Deserialize)]
pub(super) struct ReplayForm {
    install: Option<String>,
}

/// `POST /sandbox/replay`: replays the journal.
pub(super) async fn replay(State(sandbox): State<Sandbox>, Form(form): Form<ReplayForm>) -> Response {
    let uuid = form.install.filter(|uuid| !uuid.is_empty());
    let recording = Recording::of(&sandbox, uuid.as_deref());
    tokio::spawn(async move {
        let replayed = sandbox.replay(&recording).await;
        let changed = replayed.iter().filter(|call| !call.is_unchanged()).count();
        let title = format!("Replayed {} calls; {changed} got another status", replayed.len());
        sandbox.journal().note(sandbox.platform().clock().now(), None, title, None);
    });
    back()
}
