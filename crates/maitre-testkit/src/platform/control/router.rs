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
        router::router(self.shared_state()).layer(from_fn_with_state(self.clone(), record::record))
    }

    /// Returns the router with a fallback that responds with 404. Those requests are recorded too.
    pub fn router_with_fallback(&self) -> Router {
        let router = router::router(self.shared_state()).fallback(|| async { Problem::not_found("page") });
        router.layer(from_fn_with_state(self.clone(), record::record))
    }
}
