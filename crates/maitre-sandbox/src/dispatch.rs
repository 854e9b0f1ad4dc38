//! Dispatches requests to the page, the customer's API or the vendor's API.
//!
//! As at Heroku, customers and vendors call the same paths on the same host, and their credentials tell them apart: the
//! customer's API key selects the customer's API. Every other request for a path that add-ons use goes to the platform,
//! which checks the vendor's token. The other marketplaces have no API for customers here.

use axum::{
    Router,
    extract::{Request, State},
    http::HeaderMap,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use maitre_conformance::Marketplace;
use tower::ServiceExt as _;

use crate::{Sandbox, customer, guard, page};

impl Sandbox {
    /// Returns the page, the add-on's API and the customer's API as a router, to be mounted at the root of a host. Unlike
    /// [`serve`](Self::serve), the router does not retry calls, deliver webhooks or drop connections.
    pub fn router(&self) -> Router {
        build_router(self)
    }
}

fn build_router(sandbox: &Sandbox) -> Router {
    let vendor = match sandbox.contract().api() {
        Some(api) => sandbox.platform().recorded(api),
        None => sandbox.platform().router_with_fallback(),
    };
    let apis = Apis { sandbox: sandbox.clone(), customer: customer::router(sandbox), vendor };
    page::router(sandbox)
        .fallback_service(Router::new().fallback(dispatch).with_state(apis))
        .layer(from_fn_with_state(sandbox.clone(), guard::guard))
}

#[derive(Clone)]
struct Apis {
    sandbox: Sandbox,
    customer: Router,
    vendor: Router,
}

async fn dispatch(State(apis): State<Apis>, request: Request) -> Response {
    if is_navigation(request.headers()) {
        return page::not_found_page(&apis.sandbox).into_response();
    }
    let is_heroku = apis.sandbox.marketplace() == Marketplace::Heroku;
    let is_customers = is_heroku && customer::is_addressed(&apis.sandbox, &request);
    let api = if is_customers { apis.customer } else { apis.vendor };
    let response = api.oneshot(request).await.unwrap_or_else(|never| match never {});
    if !is_heroku {
        apis.sandbox.live_installs().iter().for_each(|install| apis.sandbox.contract().apply_reports(install));
    }
    response
}

/// Whether a browser navigates to the URL.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
}
