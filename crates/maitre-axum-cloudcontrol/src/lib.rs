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
use axum::routing::MethodRouter;
use maitre_axum::core::IntoAddon;
use maitre_axum::{lifecycle, sso_by_get, sso_by_post};

/// Builds the router of an add-on at cloudControl. Nest it at the manifest's `base_url` without `/resources`.
///
/// | route | operation |
/// | --- | --- |
/// | `POST /resources` | provision |
/// | `PUT /resources/{id}` | plan change |
/// | `DELETE /resources/{id}` | deprovision |
/// | `GET /resources/{id}` | single sign-on until 2014 |
/// | `POST /resources/sso`, `POST /sso` | single sign-on since 2014 |
pub fn router<S>(addon: impl IntoAddon<CloudControl>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let addon = addon.into_addon();
    lifecycle(&addon, "/resources")
        .route("/resources/{id}", sso_by_get(&addon))
        .route("/resources/sso", sso_by_post(&addon))
        .route("/sso", sso_by_post(&addon))
        .into_router()
}

/// Builds only the single sign-on route by form, for any path of the app.
pub fn single_sign_on<S>(addon: impl IntoAddon<CloudControl>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    sso_by_post(&addon.into_addon())
}
