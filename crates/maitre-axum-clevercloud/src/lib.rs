#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clevercloud;
mod contract;
mod sso;
mod view;
mod wire;

pub use clevercloud::CleverCloud;
pub use view::CleverCloudProvision;

use axum::Router;
use axum::http::Method;
use maitre_axum::Routes;
use maitre_axum::core::IntoAddon;

/// Builds the router of an add-on at Clever Cloud. Nest it at the manifest's `base_url` without `/resources`.
///
/// | route | operation |
/// | --- | --- |
/// | `POST /resources` | provision |
/// | `PUT /resources/{id}` | plan change |
/// | `DELETE /resources/{id}` | deprovision |
/// | `POST /sso` | single sign-on |
pub fn router<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<CleverCloud>) -> Router<S> {
    routes(addon).into_router()
}

/// Declares the routes of [`router()`], for tables and tools.
pub fn routes<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<CleverCloud>) -> Routes<CleverCloud, S> {
    Routes::new(addon)
        .provision(Method::POST, "/resources")
        .plan_change(Method::PUT, "/resources/{id}")
        .deprovision(Method::DELETE, "/resources/{id}")
        .single_sign_on(Method::POST, "/sso")
}
