#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cloudcontrol;
mod contract;
mod sso;
mod view;
mod wire;

pub use cloudcontrol::CloudControl;
pub use view::{CloudControlPlanChange, CloudControlProvision};

use axum::Router;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter};
use maitre_axum::Routes;
use maitre_axum::core::IntoAddon;

/// Builds the router of an add-on at cloudControl. Nest it at the manifest's `base_url` without `/resources`.
///
/// | route | operation |
/// | --- | --- |
/// | `POST /resources` | provision |
/// | `PUT /resources/{id}` | plan change |
/// | `DELETE /resources/{id}` | deprovision |
/// | `GET /resources/{id}` | single sign-on until 2014 |
/// | `POST /resources/sso`, `POST /sso` | single sign-on since 2014 |
pub fn router<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<CloudControl>) -> Router<S> {
    routes(addon).into_router()
}

/// Declares the routes of [`router()`], for tables and tools.
pub fn routes<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<CloudControl>) -> Routes<CloudControl, S> {
    Routes::new(addon)
        .provision(Method::POST, "/resources")
        .plan_change(Method::PUT, "/resources/{id}")
        .deprovision(Method::DELETE, "/resources/{id}")
        .single_sign_on(Method::GET, "/resources/{id}")
        .single_sign_on(Method::POST, "/resources/sso")
        .single_sign_on(Method::POST, "/sso")
}

/// Builds only the single sign-on route by form, for any path of the app.
pub fn single_sign_on<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<CloudControl>) -> MethodRouter<S> {
    maitre_axum::single_sign_on(addon.into_addon(), MethodFilter::POST)
}
