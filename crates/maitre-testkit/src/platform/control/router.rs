//! The platform as a router.

use axum::{Router, middleware::from_fn_with_state};

use super::{
    super::api::{problem::Problem, router},
    platform::Platform,
    record,
};

impl Platform {
    /// Returns a router with everything that a vendor may call, without a fallback, to be nested in a router of
    /// yours.
    ///
    /// Webhooks are delivered by [`serve`](Self::serve) or by [`deliver_webhooks`](Self::deliver_webhooks).
    pub fn router(&self) -> Router {
        self.recorded(router::router(self.shared_state()))
    }

    /// Returns the router with a fallback that responds with 404. Those requests are recorded too.
    pub fn router_with_fallback(&self) -> Router {
        self.recorded(router::router(self.shared_state()).fallback(|| async { Problem::not_found("page") }))
    }

    /// Returns the router of another API, whose calls are recorded as [exchanges](Self::exchanges) of this platform and meet
    /// its [faults](Self::inject_fault).
    pub fn recorded(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), record::record))
    }
}
