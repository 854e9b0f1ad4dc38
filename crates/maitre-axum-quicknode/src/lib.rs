#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod contract;
mod endpoint;
mod proxy;
mod quicknode;
mod sso;
mod view;
mod wire;

pub use proxy::{QuickNodeCall, RpcError};
pub use quicknode::{DashboardUrlError, QuickNode};
pub use view::{QuickNodeEndpoint, QuickNodeRequest};

use axum::Router;
use axum::http::Method;
use maitre_axum::Routes;
use maitre_axum::core::{Deprovision, IntoAddon};

use crate::endpoint::{AccountClosure, EndpointChange, EndpointProvision};

/// Builds the router of an add-on at QuickNode. Register its four paths, the health check and the path of single sign-on.
///
/// | route | operation |
/// | --- | --- |
/// | `POST /provision` | provision of an endpoint |
/// | `PUT /update` | plan change of the account, or update of the endpoint |
/// | `DELETE /deactivate_endpoint` | deprovision of an endpoint |
/// | `DELETE /deprovision` | deprovision of an account with all of its endpoints |
/// | `GET /health` | health check |
/// | `GET /sso` | single sign-on |
///
/// The first four also have paths that begin with two slashes: a registered base URL may end with one.
pub fn router<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<QuickNode>) -> Router<S> {
    routes(addon).into_router()
}

/// Declares the routes of [`router()`], for tables and tools.
pub fn routes<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<QuickNode>) -> Routes<QuickNode, S> {
    let routes = Routes::new(addon).open(Method::GET, "/health", contract::health).single_sign_on(Method::GET, "/sso");
    ["", "/"].into_iter().fold(routes, |routes, slash| {
        routes
            .operation::<EndpointProvision>(Method::POST, &format!("{slash}/provision"))
            .operation::<EndpointChange>(Method::PUT, &format!("{slash}/update"))
            .operation::<Deprovision>(Method::DELETE, &format!("{slash}/deactivate_endpoint"))
            .operation::<AccountClosure>(Method::DELETE, &format!("{slash}/deprovision"))
    })
}
