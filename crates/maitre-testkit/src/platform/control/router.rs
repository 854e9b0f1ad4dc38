//! The platform as a router.

use axum::{Router, middleware::from_fn_with_state};

use super::{
    super::api::{problem::Problem, router},
    platform::Platform,
    record,
};

impl Platform {
    /// All that a vendor may call, without a fallback, to be served or called in your process. Nest it where you like.
    ///
    /// Webhooks are delivered by [`serve`](Self::serve) or by [`deliver_webhooks`](Self::deliver_webhooks).
    pub fn router(&self) -> Router {
        router::router(self.shared_state()).layer(from_fn_with_state(self.clone(), record::record))
    }

    /// The same, and all else is not there, which gets written down, too.
    pub fn router_with_fallback(&self) -> Router {
        let router = router::router(self.shared_state()).fallback(|| async { Problem::not_found("page") });
        router.layer(from_fn_with_state(self.clone(), record::record))
    }
}
