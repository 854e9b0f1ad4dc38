//! Which door a request goes to: the page, the customer's API or the vendor's.
//!
//! At Heroku, customers and vendors call the same host under the same paths; the bearer token says who asks. So it is
//! here: whoever shows the customer's key is the customer, and everybody else the vendor, whose tokens the platform
//! knows or does not.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
};
use tower::ServiceExt as _;

use crate::{Sandbox, customer, guard, page};

pub(crate) fn router(sandbox: &Sandbox) -> Router {
    let doors = Doors {
        sandbox: sandbox.clone(),
        customer: customer::router(sandbox),
        vendor: sandbox.platform().router_with_fallback(),
    };
    page::router(sandbox)
        .fallback_service(Router::new().fallback(enter).with_state(doors))
        .layer(from_fn_with_state(sandbox.clone(), guard::guard))
}

#[derive(Clone)]
struct Doors {
    sandbox: Sandbox,
    customer: Router,
    vendor: Router,
}

async fn enter(State(doors): State<Doors>, request: Request) -> Response {
    if is_navigation(request.headers()) {
        return page::not_found_page(&doors.sandbox).into_response();
    }
    let is_customer = bearer(request.headers()) == Some(&doors.sandbox.inner().api_key);
    let door = if is_customer { doors.customer } else { doors.vendor };
    door.oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// A person who typed an address, and no program that asks for an API.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
