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
use axum::routing::MethodRouter;
use maitre_axum::core::IntoAddon;
use maitre_axum::{acknowledge, lifecycle, sso_by_get, sso_by_post};

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
pub fn router<S>(addon: impl IntoAddon<Heroku>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let addon = addon.into_addon();
    lifecycle(&addon, "/resources")
        .route("/resources/{id}", sso_by_get(&addon))
        .route("/resources/{id}/events", acknowledge(&addon))
        .route(addon.marketplace().sso_route(), sso_by_post(&addon))
        .into_router()
}

/// Builds only the single sign-on route, for any path of the app, such as `/sso/login` in old sample manifests.
pub fn single_sign_on<S>(addon: impl IntoAddon<Heroku>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    sso_by_post(&addon.into_addon())
}
