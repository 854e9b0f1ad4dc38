//! The routes of a marketplace router.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::MethodRouter;

use crate::error_response::ErrorResponse;

/// Routes of a marketplace, with the same rules for each: a trailing slash changes nothing, and another method is
/// answered 405 with `Allow` and a message.
///
/// There is no fallback for other paths, which belong to the host.
///
/// ```
/// use axum::{body::Body, http::Request, routing::post};
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router: axum::Router = maitre_axum::Routes::new().route("/stalls", post(async || "rented")).into_router();
/// let response = router.clone().oneshot(Request::post("/stalls/").body(Body::empty())?).await?;
/// assert_eq!(response.status(), 200);
/// let response = router.oneshot(Request::get("/stalls").body(Body::empty())?).await?;
/// assert_eq!((response.status().as_u16(), &response.headers()["allow"]), (405, &"POST".parse()?));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Routes<S>(Router<S>);

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// Creates an empty set of routes.
    #[must_use]
    pub fn new() -> Self {
        Self(Router::new())
    }

    /// Adds the methods of a path, with and without a trailing slash.
    ///
    /// # Panics
    /// Panics if a method of the path was added before.
    #[must_use]
    pub fn route(self, path: &str, methods: MethodRouter<S>) -> Self {
        let router = if path.ends_with('/') { self.0 } else { self.0.route(&format!("{path}/"), methods.clone()) };
        Self(router.route(path, methods))
    }

    /// Returns the router.
    pub fn into_router(self) -> Router<S> {
        self.0.method_not_allowed_fallback(async || {
            ErrorResponse::new(StatusCode::METHOD_NOT_ALLOWED, "This method is not supported here.")
        })
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}
