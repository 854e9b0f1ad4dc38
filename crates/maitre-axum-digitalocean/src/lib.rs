#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod contract;
mod digitalocean;
mod sso;
mod view;
mod wire;

pub use digitalocean::DigitalOcean;
pub use view::DigitalOceanProvision;

use axum::Router;
use axum::http::Method;
use maitre_axum::Routes;
use maitre_axum::core::IntoAddon;

/// Builds the router of an add-on at DigitalOcean. Nest it at `/digitalocean` of the registered base URL.
///
/// | route | operation |
/// | --- | --- |
/// | `POST /resources` | provision |
/// | `PUT /resources/{uuid}` | plan change |
/// | `DELETE /resources/{uuid}` | deprovision |
/// | `POST /notifications` | suspend, reinstate or notice |
/// | `POST /sso` | single sign-on |
pub fn router<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<DigitalOcean>) -> Router<S> {
    routes(addon).into_router()
}

/// Declares the routes of [`router()`], for tables and tools.
pub fn routes<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<DigitalOcean>) -> Routes<DigitalOcean, S> {
    Routes::new(addon)
        .provision(Method::POST, "/resources")
        .plan_change(Method::PUT, "/resources/{uuid}")
        .deprovision(Method::DELETE, "/resources/{uuid}")
        .events(Method::POST, "/notifications")
        .single_sign_on(Method::POST, "/sso")
}
