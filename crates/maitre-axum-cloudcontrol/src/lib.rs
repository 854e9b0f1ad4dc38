#![doc = include_str!("../README.md")]

mod cloudcontrol;
mod contract;
mod sso;
mod wire;

pub use cloudcontrol::CloudControl;

use axum::Router;
use axum::routing::MethodRouter;
use maitre_axum::core::IntoAddon;
use maitre_axum::{lifecycle, sso_by_get, sso_by_post};

/// The router of an add-on at cloudControl; nest it where the manifest's `base_url` points to, less `/resources`.
///
/// | route | what |
/// | --- | --- |
/// | `POST /resources` | provision |
/// | `PUT /resources/{id}` | plan change |
/// | `DELETE /resources/{id}` | deprovision |
/// | `GET /resources/{id}` | single sign-on as it was until 2014 |
/// | `POST /resources/sso`, `POST /sso` | single sign-on as it was afterwards |
pub fn router<S>(addon: impl IntoAddon<CloudControl>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let addon = addon.into_addon();
    lifecycle(&addon, "/resources")
        .route("/resources/{id}", sso_by_get(&addon))
        .route("/resources/sso", sso_by_post(&addon))
        .route("/sso", sso_by_post(&addon))
}

/// Single sign-on by form alone, to be mounted at any path of the app.
pub fn single_sign_on<S>(addon: impl IntoAddon<CloudControl>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    sso_by_post(&addon.into_addon())
}
