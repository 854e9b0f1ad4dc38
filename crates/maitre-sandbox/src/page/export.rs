//! The journal as a download, in pieces.

use axum::{
    body::Body,
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;

use crate::{RecordingFormat, Sandbox, recording::Export};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExportQuery {
    /// Whether they are to be in it.
    secrets: Option<String>,
    install: Option<String>,
}

/// `GET /sandbox/export.json`, with its secrets only if `secrets` asks for them.
pub(super) async fn json(State(sandbox): State<Sandbox>, Query(wish): Query<ExportQuery>) -> Response {
    download(&sandbox, RecordingFormat::Json, wish)
}

/// `GET /sandbox/export.har`.
pub(super) async fn har(State(sandbox): State<Sandbox>, Query(wish): Query<ExportQuery>) -> Response {
    download(&sandbox, RecordingFormat::Har, wish)
}

fn download(sandbox: &Sandbox, format: RecordingFormat, wish: ExportQuery) -> Response {
    let uuid = wish.install.filter(|uuid| !uuid.is_empty());
    let export = Export::new(sandbox, format, wish.secrets.is_none(), uuid);
    let pieces = stream::iter(export).map(Ok::<_, std::convert::Infallible>);
    let name = format!("attachment; filename=\"{}-sandbox.{format}\"", sandbox.addon().slug);
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(pieces)).into_response()
}
