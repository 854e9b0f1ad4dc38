//! Interface of a run to the resources that it creates.

use std::pin::Pin;
use std::time::Duration;

use maitre_testkit::{Reply, Request};

/// Descriptions of the resources that could not be removed.
pub(crate) type LeftBehind<'a> = Pin<Box<dyn Future<Output = Vec<String>> + Send + 'a>>;

/// Tracks the resources that a run creates, so that they can be removed. Each marketplace has its own: it knows which
/// requests create and remove resources, and which replies prove it.
pub(crate) trait Tracker: Send + Sync {
    /// Registers a request before it is sent.
    fn register(&self, request: &Request);

    /// Records the response to a request.
    fn record(&self, reply: &Reply);

    /// Notes a request whose response is unknown.
    fn record_unanswered(&self, request: &Request);

    /// Keeps a resource for the next checks, until [`Tracker::release_kept`].
    fn keep(&self, id: &str);

    fn release_kept(&self);

    /// Removes everything that is not kept. Each request has this timeout.
    fn remove_all(&self, request_timeout: Duration) -> LeftBehind<'_>;
}
