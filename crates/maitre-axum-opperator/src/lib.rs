#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod contract;
mod opperator;
mod view;
mod wire;

pub use opperator::Opperator;
pub use serde_json::{Map, Value};
pub use view::OpperatorProvision;

use axum::Router;
use axum::http::Method;
use maitre_axum::Routes;
use maitre_axum::core::IntoAddon;

/// Builds the router of an add-on at Opperator.
///
/// | route | operation |
/// | --- | --- |
/// | `POST /instances` | provision |
/// | `PUT /instances/{id}` | plan change |
/// | `DELETE /instances/{id}` | deprovision |
/// | `PUT /plan_warning/{id}` | notice of the kind `PlanWarning` |
///
/// Opperator has no single sign-on.
pub fn router<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<Opperator>) -> Router<S> {
    routes(addon).into_router()
}

/// Declares the routes of [`router()`], for tables and tools.
pub fn routes<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<Opperator>) -> Routes<Opperator, S> {
    Routes::new(addon)
        .provision(Method::POST, "/instances")
        .plan_change(Method::PUT, "/instances/{id}")
        .deprovision(Method::DELETE, "/instances/{id}")
        .notice(Method::PUT, "/plan_warning/{id}")
}
