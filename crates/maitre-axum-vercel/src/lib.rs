#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod console;
mod contract;
mod error;
mod http;
mod installations;
mod keys;
mod optional;
mod output;
mod past_plans;
mod plan;
mod plans;
mod purchases;
mod resources;
mod shared;
mod sso;
mod token;
mod transfers;
mod vercel;
mod view;
mod webhooks;
mod wire;

pub use error::VercelError;
pub use optional::{VercelCommand, VercelPurchase};
pub use output::{VercelOutput, VercelText};
pub use token::{VercelCaller, VercelUser};
pub use vercel::Vercel;
pub use view::{VercelInstallation, VercelProvision, VercelTeam};

use axum::Router;
use axum::http::Method;
use maitre_axum::Routes;
use maitre_axum::core::{Backend, Capability, IntoAddon};

const INSTALLATION: &str = "/v1/installations/{iid}";
const INSTALLATION_PLANS: &str = "/v1/installations/{iid}/plans";
const RESOURCES: &str = "/v1/installations/{iid}/resources";
const RESOURCE: &str = "/v1/installations/{iid}/resources/{rid}";
const RESOURCE_PLANS: &str = "/v1/installations/{iid}/resources/{rid}/plans";
const ROTATE: &str = "/v1/installations/{iid}/resources/{rid}/secrets/rotate";
const CONSOLE: &str = "/v1/installations/{iid}/resources/{rid}/repl";
const PURCHASES: &str = "/v1/installations/{iid}/billing/provision";
const TRANSFERS: &str = "/v1/installations/{iid}/resource-transfer-requests";
const VERIFY: &str = "/v1/installations/{iid}/resource-transfer-requests/{claim}/verify";
const ACCEPT: &str = "/v1/installations/{iid}/resource-transfer-requests/{claim}/accept";

/// Builds the router of an integration at Vercel. The integration's base URL is the path where it is nested.
///
/// | route | operation |
/// | --- | --- |
/// | `PUT`, `GET`, `PATCH`, `DELETE /v1/installations/{iid}` | install or update, read, change the plan, uninstall |
/// | `GET /v1/installations/{iid}/plans` | plans of the installation |
/// | `POST /v1/installations/{iid}/resources` | provision |
/// | `GET`, `PATCH`, `DELETE …/resources/{rid}` | read, plan change or update, deprovision |
/// | `POST …/resources/{rid}/secrets/rotate` | rotate, if the listener has the [capability](Capability::Rotate) |
/// | `POST …/resources/{rid}/repl` | a command in the console, with [`Vercel::with_console`] |
/// | `GET …/resources/{rid}/plans` | plans of the resource's product |
/// | `GET /v1/products/{slug}/plans` | plans of a product |
/// | `POST /v1/installations/{iid}/billing/provision` | a purchase of credits, with [`Vercel::with_purchases`] |
/// | `POST …/resource-transfer-requests`, `GET …/{claim}/verify`, `POST …/{claim}/accept` | a transfer, with [`Vercel::with_transfers`] |
/// | `GET /sso` | single sign-on: the Redirect Login URL |
/// | `POST /webhooks` | webhooks |
pub fn router<S>(addon: impl IntoAddon<Vercel>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes(addon).into_router()
}

/// Declares the routes of [`router()`], for tables and tools.
pub fn routes<S>(addon: impl IntoAddon<Vercel>) -> Routes<Vercel, S>
where
    S: Clone + Send + Sync + 'static,
{
    let routes = Routes::new(addon);
    let rotates = routes.addon().capabilities().contains(Capability::Rotate);
    let optional = routes.addon().marketplace().optional.clone();
    let mut routes = routes
        .read(Method::PUT, INSTALLATION, installations::install)
        .read(Method::GET, INSTALLATION, installations::read)
        .read(Method::PATCH, INSTALLATION, installations::update)
        .read(Method::DELETE, INSTALLATION, installations::uninstall)
        .standing_for(&["close_account"])
        .read(Method::GET, INSTALLATION_PLANS, plans::of_installation)
        .provision(Method::POST, RESOURCES)
        .read(Method::GET, RESOURCE, resources::read)
        .read(Method::PATCH, RESOURCE, resources::change)
        .standing_for(&["change"])
        .deprovision(Method::DELETE, RESOURCE)
        .read(Method::GET, RESOURCE_PLANS, plans::of_resource)
        .read(Method::GET, "/v1/products/{slug}/plans", plans::of_product)
        .open(Method::GET, "/sso", sso::sign_on)
        .standing_for(&["single_sign_on"])
        .open(Method::POST, "/webhooks", webhooks::receive);
    if rotates {
        routes = routes.rotate(Method::POST, ROTATE);
    }
    if optional.console.is_some() {
        routes = routes.read(Method::POST, CONSOLE, console::run);
    }
    if optional.purchases.is_some() {
        routes = routes.read(Method::POST, PURCHASES, purchases::credit);
    }
    if optional.transfers.is_some() {
        routes = routes
            .read(Method::POST, TRANSFERS, transfers::create)
            .read(Method::GET, VERIFY, transfers::verify)
            .read(Method::POST, ACCEPT, transfers::accept);
    }
    routes
}
