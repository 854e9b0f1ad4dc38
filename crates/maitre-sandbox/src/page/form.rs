//! Responses to the forms of the page.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::html;

use super::layout::page;
use crate::Sandbox;

/// Redirects to the page that the form is on.
pub(super) fn back() -> Response {
    Redirect::to("/").into_response()
}

/// Shows why a form was rejected.
pub(super) fn invalid(sandbox: &Sandbox, message: &str) -> Response {
    let body = html! {
        section .card { h1 { "Invalid input" } p #problem { (message) } p { a .quiet href="/" { "Back" } } }
    };
    (StatusCode::UNPROCESSABLE_ENTITY, page(sandbox, "Invalid input · maître sandbox", &body)).into_response()
}

/// Shows that the call or install does not exist.
pub(super) fn not_found(sandbox: &Sandbox) -> Response {
    let body = html! {
        section .card { h1 { "Not found" } p { "It never existed, or the sandbox no longer keeps it." } }
    };
    (StatusCode::NOT_FOUND, page(sandbox, "Not found · maître sandbox", &body)).into_response()
}
