#![doc = include_str!("../README.md")]

mod contract;
mod heroku;
mod sso;
mod wire;

pub use heroku::{Heroku, PathError};

use axum::Router;
use axum::routing::MethodRouter;
use maitre_axum::core::IntoAddon;
use maitre_axum::{acknowledge, lifecycle, sso_by_get, sso_by_post};

/// The router of an add-on at Heroku; nest it where the manifest's `base_url` points to, less `/resources`.
///
/// | route | what |
/// | --- | --- |
/// | `POST /resources` | provision |
/// | `PUT /resources/{id}` | plan change |
/// | `DELETE /resources/{id}` | deprovision |
/// | `POST /resources/sso` | single sign-on; [`Heroku::with_sso_path`] moves it |
/// | `GET /resources/{id}` | single sign-on of manifests whose URLs are plain strings |
/// | `POST /resources/{id}/events` | deploy events, deprecated: 200, and nothing is done |
pub fn router<S>(addon: impl IntoAddon<Heroku>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let addon = addon.into_addon();
    lifecycle(&addon, "/resources")
        .route("/resources/{id}", sso_by_get(&addon))
        .route("/resources/{id}/events", acknowledge(&addon))
        .route(addon.marketplace().sso_route(), sso_by_post(&addon))
}

/// Single sign-on alone, to be mounted at any path of the app, such as the `/sso/login` of old sample manifests.
pub fn single_sign_on<S>(addon: impl IntoAddon<Heroku>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    sso_by_post(&addon.into_addon())
}
