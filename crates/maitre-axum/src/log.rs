//! Request logging: a span with request and add-on ids, and one event per response.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::http::header::HeaderName;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use maitre_core::{AddonId, ResourceId, TraceParent};
use tower_http::classify::ServerErrorsFailureClass;
use tower_http::trace::{DefaultOnFailure, DefaultOnResponse, OnFailure, OnResponse};
use tracing::{Level, Span, field};

use crate::text::excerpt;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Request log of one route.
///
/// It combines the parts of tower-http's `TraceLayer` and `SetRequestIdLayer`. As layers they would wrap the body and copy
/// the id into request and extensions, which are not used here: 3 % of a provision's instructions.
pub(crate) struct Log {
    addon: AddonId,
    operation: &'static str,
    ids: RequestIds,
}

/// A request that has no response yet.
pub(crate) struct LoggedRequest {
    start: Instant,
    id: Option<HeaderValue>,
    span: Span,
}

impl LoggedRequest {
    /// Returns the span of everything that happens for the request.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }
}

impl Log {
    pub(crate) fn new(addon: AddonId, operation: &'static str) -> Self {
        Self { addon, operation, ids: RequestIds::new() }
    }

    pub(crate) fn begin(&self, request: &Parts, trace: Option<&TraceParent>) -> LoggedRequest {
        let start = Instant::now();
        let sent = request.headers.get(REQUEST_ID).filter(|id| is_valid_request_id(id)).cloned();
        let id = sent.or_else(|| self.ids.next());
        let span = span(&self.addon, id.as_ref(), request, trace);
        LoggedRequest { start, id, span }
    }

    /// Logs the response, and adds the id of the request to it.
    pub(crate) fn end(&self, request: LoggedRequest, mut response: Response) -> Response {
        let LoggedRequest { start, id, span } = request;
        let latency = start.elapsed();
        crate::metrics::request(&self.addon, self.operation, response.status().as_u16(), latency);
        span.in_scope(|| {
            if response.status().is_server_error() {
                let class = ServerErrorsFailureClass::StatusCode(response.status());
                DefaultOnFailure::new().on_failure(class, latency, &span);
            }
            DefaultOnResponse::new().level(Level::INFO).on_response(&response, latency, &span);
        });
        if let Some(id) = id {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
}

/// Returns whether a caller's id may be used: it is repeated in the answer and in every line of the log.
fn is_valid_request_id(id: &HeaderValue) -> bool {
    (1..=200).contains(&id.len())
        && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/+=".contains(byte))
}

/// Returns the trace that the caller has sent.
pub(crate) fn trace_of(headers: &HeaderMap) -> Option<TraceParent> {
    TraceParent::parse(headers.get(TRACE_PARENT)?.to_str().ok()?)
}

/// Records the resource in the request's span.
pub(crate) fn record_resource(resource: &ResourceId) {
    Span::current().record("resource", resource.as_str());
}

/// Generates ids for requests without one: a random prefix per route and a counter, which needs no system call per
/// request.
struct RequestIds {
    route: String,
    next: AtomicU64,
}

impl RequestIds {
    fn new() -> Self {
        Self { route: format!("{:016x}-", uuid::Uuid::new_v4().as_u64_pair().0), next: AtomicU64::new(0) }
    }

    fn next(&self) -> Option<HeaderValue> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut id = String::with_capacity(self.route.len() + 16);
        id.push_str(&self.route);
        write!(id, "{number:x}").ok()?;
        HeaderValue::try_from(id).ok()
    }
}

/// Returns the span of a request. It omits the query, as a legacy query contains tokens.
fn span(addon: &AddonId, id: Option<&HeaderValue>, request: &Parts, trace: Option<&TraceParent>) -> Span {
    tracing::info_span!(
        "marketplace",
        marketplace = addon.marketplace(),
        addon = addon.slug(),
        request_id = id.and_then(|id| id.to_str().ok()),
        method = %request.method,
        path = excerpt(request.uri.path()),
        resource = field::Empty,
        trace_id = trace.map(TraceParent::trace_id),
    )
}
