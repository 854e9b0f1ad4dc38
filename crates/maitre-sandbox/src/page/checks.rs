//! Description of a conformance check.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maitre_conformance::checks;
use maud::html;

use super::layout::page;
use crate::Sandbox;

/// `GET /sandbox/checks/{check}`.
pub(super) async fn show(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Response {
    let Some(check) = checks(sandbox.marketplace()).find(|check| check.id == id) else {
        let body = html! {
            section .card { h1 { "This check does not exist" } p { "List all checks:" } pre { code { "maitre check --list" } } }
        };
        return (StatusCode::NOT_FOUND, page(&sandbox, "Not found · maître sandbox", &body)).into_response();
    };
    let marketplace = sandbox.marketplace().name();
    let name = check.id.split_once('.').map_or(check.id, |(_, name)| name);
    let plans: Vec<_> = sandbox.addon().plans.iter().map(crate::Plan::name).collect();
    let body = html! {
        article .card .check aria-labelledby="check-title" {
            div .title { h1 #check-title { code { (check.id) } } span .pill { (check.level) } }
            p .statement { (check.requirement) }
            dl .facts { dt { "Source" } dd { (check.citation) } }
            p { "Run this check against your add-on:" }
            pre tabindex="0" { code { "maitre check --marketplace " (marketplace) " --plan " (plans.join(",")) " --url " (sandbox.addon().origin) " --only " (name) } }
            p { a .quiet href="/?only=problems" { "All problems" } }
        }
    };
    page(&sandbox, &format!("{} · maître sandbox", check.id), &body).into_response()
}
