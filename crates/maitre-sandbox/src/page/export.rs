//! Streamed download of the journal.

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
    /// Present if secrets are to be included.
    secrets: Option<String>,
    install: Option<String>,
}

/// `GET /sandbox/export.json`; masks secrets unless the query has `secrets`.
pub(super) async fn json(State(sandbox): State<Sandbox>, Query(query): Query<ExportQuery>) -> Response {
    download(&sandbox, RecordingFormat::Json, query)
}

/// `GET /sandbox/export.har`.
pub(super) async fn har(State(sandbox): State<Sandbox>, Query(query): Query<ExportQuery>) -> Response {
    download(&sandbox, RecordingFormat::Har, query)
}

fn download(sandbox: &Sandbox, format: RecordingFormat, query: ExportQuery) -> Response {
    let uuid = query.install.filter(|uuid| !uuid.is_empty());
    let export = Export::new(sandbox, format, query.secrets.is_none(), uuid);
    let chunks = stream::iter(export).map(Ok::<_, std::convert::Infallible>);
    let name = format!("attachment; filename=\"{}-sandbox.{format}\"", sandbox.addon().slug);
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(chunks)).into_response()
}
