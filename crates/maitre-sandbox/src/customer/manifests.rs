//! The API of Heroku's add-ons-admin plugin: the vendor's manifests.
//!
//! The sandbox keeps the manifests that are pushed. It continues to call the add-on with the one it was started with.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maitre_conformance::{Level, lint};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::{Sandbox, manifests::Revision};

type JsonResult = Result<Json<Value>, Problem>;

/// Error in the format of this API, which differs from that of the Platform API.
pub(super) struct Problem(StatusCode, Value);

impl Problem {
    fn not_found(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("Couldn't find that {what}.").into())
    }

    fn invalid(messages: impl IntoIterator<Item = String>) -> Self {
        let messages: Vec<_> = messages.into_iter().collect();
        Self(StatusCode::UNPROCESSABLE_ENTITY, json!({ "base": messages }))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

/// `GET /api/v3/addons/{slug}/current_manifest`.
pub(super) async fn current(State(sandbox): State<Sandbox>, Path(slug): Path<String>) -> JsonResult {
    let newest = revisions(&sandbox, &slug)?.pop().ok_or_else(|| Problem::not_found("manifest"))?;
    Ok(Json(full(&newest)))
}

/// `GET /api/v3/addons/{slug}/manifests`: newest first.
pub(super) async fn list(State(sandbox): State<Sandbox>, Path(slug): Path<String>) -> JsonResult {
    Ok(Json(revisions(&sandbox, &slug)?.iter().rev().map(summary).collect()))
}

/// `GET /api/v3/addons/{slug}/manifests/{id}`.
pub(super) async fn get(State(sandbox): State<Sandbox>, Path((slug, id)): Path<(String, String)>) -> JsonResult {
    let mut revisions = revisions(&sandbox, &slug)?.into_iter();
    let found = revisions.find(|revision| revision.id.to_string() == id);
    Ok(Json(full(&found.ok_or_else(|| Problem::not_found("manifest"))?)))
}

/// `POST /api/v3/addons/{slug}/manifests`: validates and keeps a manifest.
pub(super) async fn push(
    State(sandbox): State<Sandbox>,
    Path(slug): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    revisions(&sandbox, &slug)?;
    let invalid = |message: &str| Problem::invalid([message.to_owned()]);
    let body: Value = serde_json::from_slice(&body).map_err(|_| invalid("The body is not JSON."))?;
    let contents = &body["contents"];
    if !contents.is_object() {
        return Err(invalid("contents must be a manifest."));
    }
    let findings = lint::manifest(contents).into_iter().filter(|finding| finding.level == Level::Must);
    let errors: Vec<_> = findings.map(|finding| format!("{}: {}", finding.path, finding.message)).collect();
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    if contents["id"] != slug {
        return Err(invalid("The id of a manifest cannot be changed."));
    }
    let now = sandbox.platform().clock().now();
    let revision = sandbox.inner().manifests.push(contents.clone(), now);
    sandbox.mark_dirty();
    sandbox.journal().note(now, None, format!("Manifest {} was pushed", revision.id), None);
    Ok((StatusCode::CREATED, Json(full(&revision))).into_response())
}

fn revisions(sandbox: &Sandbox, slug: &str) -> Result<Vec<Revision>, Problem> {
    if slug == sandbox.addon().slug { Ok(sandbox.inner().manifests.all()) } else { Err(Problem::not_found("add-on")) }
}

fn summary(revision: &Revision) -> Value {
    json!({ "id": revision.id.to_string(), "created_at": revision.created_at.format(&Rfc3339).unwrap_or_default() })
}

fn full(revision: &Revision) -> Value {
    let mut object = summary(revision);
    object["contents"] = revision.contents.clone();
    object
}
