//! The state of one connection, shared by its socket, its requests and the timer that watches it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use super::limits::ServeLimits;

/// Activity of one connection.
pub(super) struct Activity(Mutex<State>);

struct State {
    /// Requests that are not answered to the end.
    requests: usize,
    /// Since when no request is in progress.
    idle_since: Instant,
    /// Arrival of the first byte of the head that is being read.
    head_since: Option<Instant>,
    /// Whether the caller has not sent the whole body of its last request.
    unread_body: bool,
}

impl Activity {
    /// A connection that was just accepted: its first head is due.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State { requests: 0, idle_since: now, head_since: Some(now), unread_body: false }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns since when the connection is without a request, or `None` while one is in progress.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.requests == 0).then_some(state.idle_since)
    }

    /// Returns when the connection is to be closed if nothing happens, or `None` while a request is in progress.
    pub(super) fn deadline(&self, limits: &ServeLimits) -> Option<Instant> {
        let state = self.state();
        (state.requests == 0).then(|| match state.head_since {
            Some(head) => head + limits.header_read(),
            None => state.idle_since + limits.idle(),
        })
    }

    /// Records that bytes have arrived.
    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.requests == 0 && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    /// Returns whether the caller may still be sending a body that is not read.
    pub(super) fn has_unread_body(&self) -> bool {
        self.state().unread_body
    }

    fn set_unread_body(&self, unread_body: bool) {
        self.state().unread_body = unread_body;
    }

    /// Begins a request; it ends when the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> RequestGuard {
        self.state().requests += 1;
        RequestGuard(self.clone())
    }
}

/// A request in progress.
pub(super) struct RequestGuard(Arc<Activity>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests = state.requests.saturating_sub(1);
        if state.requests == 0 {
            (state.idle_since, state.head_since) = (Instant::now(), None);
        }
    }
}

/// A request body that reports whether it was read to its end.
pub(super) struct ObservedBody<B> {
    body: B,
    activity: Arc<Activity>,
}

impl<B: HttpBody> ObservedBody<B> {
    pub(super) fn new(body: B, activity: Arc<Activity>) -> Self {
        activity.set_unread_body(!body.is_end_stream());
        Self { body, activity }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for ObservedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.activity.set_unread_body(false);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response body; the request is in progress until it is sent or dropped.
pub(super) struct GuardedBody {
    body: Body,
    _request: RequestGuard,
}

impl GuardedBody {
    pub(super) fn new(body: Body, request: RequestGuard) -> Self {
        Self { body, _request: request }
    }
}

impl HttpBody for GuardedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
