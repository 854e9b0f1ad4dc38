#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod contract;
mod scalingo;
mod sso;
mod view;
mod wire;

pub use scalingo::Scalingo;
pub use view::ScalingoProvision;

use axum::Router;
use axum::http::Method;
use maitre_axum::Routes;
use maitre_axum::core::IntoAddon;

/// Builds the router of an add-on at Scalingo. Nest it at the manifest's `base_url` without `/resources`.
///
/// | route | operation |
/// | --- | --- |
/// | `POST /resources` | provision |
/// | `PUT` or `PATCH /resources/{id}` | plan change |
/// | `DELETE /resources/{id}` | deprovision |
/// | `POST /resources/{id}/suspend` | suspend |
/// | `POST /resources/{id}/resume` | reinstate |
/// | `GET /sso` | single sign-on |
pub fn router<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<Scalingo>) -> Router<S> {
    routes(addon).into_router()
}

/// Declares the routes of [`router()`], for tables and tools.
pub fn routes<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<Scalingo>) -> Routes<Scalingo, S> {
    Routes::new(addon)
        .provision(Method::POST, "/resources")
        .plan_change(Method::PUT, "/resources/{id}")
        .plan_change(Method::PATCH, "/resources/{id}")
        .deprovision(Method::DELETE, "/resources/{id}")
        .suspend(Method::POST, "/resources/{id}/suspend")
        .reinstate(Method::POST, "/resources/{id}/resume")
        .single_sign_on(Method::GET, "/sso")
}
