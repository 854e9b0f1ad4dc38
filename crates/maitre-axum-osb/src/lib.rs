#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod binding;
mod contract;
mod instance;
mod osb;
mod read;
mod view;
mod wire;

pub use osb::Osb;
pub use view::{OriginatingIdentity, OsbRequest};

use axum::Router;
use axum::http::Method;
use maitre_axum::Routes;
use maitre_axum::core::IntoAddon;

const INSTANCE: &str = "/v2/service_instances/{iid}";
const INSTANCE_OPERATION: &str = "/v2/service_instances/{iid}/last_operation";
const BINDING: &str = "/v2/service_instances/{iid}/service_bindings/{bid}";
const BINDING_OPERATION: &str = "/v2/service_instances/{iid}/service_bindings/{bid}/last_operation";
const AVAILABILITY: &str = "/bluemix_v1/service_instances/{iid}";

/// Builds the router of a service broker.
///
/// | route | operation |
/// | --- | --- |
/// | `GET /v2/catalog` | the catalog |
/// | `PUT`, `PATCH`, `DELETE /v2/service_instances/{iid}` | provision, plan change or update, deprovision |
/// | `GET /v2/service_instances/{iid}` | the instance |
/// | `GET /v2/service_instances/{iid}/last_operation` | state of an operation |
/// | `PUT`, `DELETE …/{iid}/service_bindings/{bid}` | bind, unbind |
/// | `GET …/{iid}/service_bindings/{bid}` | the binding |
/// | `GET …/{iid}/service_bindings/{bid}/last_operation` | state of an operation |
/// | `GET`, `PUT /bluemix_v1/service_instances/{iid}` | IBM Cloud: state; suspend, reinstate |
pub fn router<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<Osb>) -> Router<S> {
    routes(addon).into_router()
}

/// Declares the routes of [`router()`], for tables and tools.
pub fn routes<S: Clone + Send + Sync + 'static>(addon: impl IntoAddon<Osb>) -> Routes<Osb, S> {
    Routes::new(addon)
        .before_body(contract::check_version)
        .read(Method::GET, "/v2/catalog", read::catalog)
        .provision(Method::PUT, INSTANCE)
        .change(Method::PATCH, INSTANCE)
        .deprovision(Method::DELETE, INSTANCE)
        .fetch(Method::GET, INSTANCE)
        .last_operation(Method::GET, INSTANCE_OPERATION)
        .bind(Method::PUT, BINDING)
        .unbind(Method::DELETE, BINDING)
        .fetch_binding(Method::GET, BINDING)
        .last_operation(Method::GET, BINDING_OPERATION)
        .events(Method::PUT, AVAILABILITY)
        .read(Method::GET, AVAILABILITY, read::availability)
}
