#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod contract;
mod heroku;
mod sso;
mod view;
mod wire;

pub use heroku::{Heroku, PathError};
pub use view::{HerokuPlanChange, HerokuProvision};

use axum::Router;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter};
use maitre_axum::Routes;
use maitre_axum::core::IntoAddon;

/// Builds the router of an add-on at Heroku. Nest it at the manifest's `base_url` without `/resources`.
///
/// | route | operation |
/// | --- | --- |
/// | `POST /resources` | provision |
/// | `PUT /resources/{id}` | plan change |
/// | `DELETE /resources/{id}` | deprovision |
/// | `POST /resources/sso` | single sign-on; the path can be changed with [`Heroku::with_sso_path`] |
/// | `GET /resources/{id}` | single sign-on of manifests whose endpoints are strings |
/// | `POST /resources/{id}/events` | deploy events (deprecated): 200, ignored |
pub fn router<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<Heroku>) -> Router<S> {
    routes(addon).into_router()
}

/// Declares the routes of [`router()`], for tables and tools.
pub fn routes<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<Heroku>) -> Routes<Heroku, S> {
    let routes = Routes::new(addon);
    let sso = routes.addon().marketplace().sso_route().to_owned();
    routes
        .provision(Method::POST, "/resources")
        .plan_change(Method::PUT, "/resources/{id}")
        .deprovision(Method::DELETE, "/resources/{id}")
        .single_sign_on(Method::POST, &sso)
        .single_sign_on(Method::GET, "/resources/{id}")
        .acknowledge(Method::POST, "/resources/{id}/events")
}

/// Builds only the single sign-on route, for any path of the app, such as `/sso/login` in old sample manifests.
pub fn single_sign_on<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<Heroku>) -> MethodRouter<S> {
    maitre_axum::single_sign_on(addon.into_addon(), MethodFilter::POST)
}
