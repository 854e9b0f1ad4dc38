//! Request logging: a span with request and add-on ids, and one event per response.

use std::fmt::Write;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::Request;
use axum::http::header::HeaderName;
use axum::http::{self, HeaderMap, HeaderValue};
use axum::response::Response;
use maitre_core::{AddonId, ResourceId, TraceParent};
use tower_http::classify::ServerErrorsFailureClass;
use tower_http::request_id::{MakeRequestId, RequestId};
use tower_http::trace::{DefaultOnFailure, DefaultOnResponse, MakeSpan, OnFailure, OnResponse};
use tracing::{Instrument, Level, Span, field};

use crate::text::excerpt;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Request log of one route.
///
/// It combines the parts of tower-http's `TraceLayer` and `SetRequestIdLayer` in one future. As layers they would wrap
/// the body and copy the id into request and extensions, which are not used here: 3 % of a provision's instructions.
pub(crate) struct Log {
    addon: AddonId,
    operation: &'static str,
    ids: RequestIds,
}

impl Log {
    pub(crate) fn new(addon: AddonId, operation: &'static str) -> Self {
        Self { addon, operation, ids: RequestIds::new() }
    }

    /// Calls `answer` inside the span of the request.
    pub(crate) async fn around<F: Future<Output = Response>>(
        &self,
        request: Request,
        answer: impl FnOnce(Request) -> F,
    ) -> Response {
        let start = Instant::now();
        let sent = request.headers().get(REQUEST_ID).filter(|id| is_valid_request_id(id)).cloned().map(RequestId::new);
        let id = sent.or_else(|| (&self.ids).make_request_id(&request)).map(RequestId::into_header_value);
        let span = RequestSpan { addon: &self.addon, id: id.as_ref() }.make_span(&request);
        let mut response = async { answer(request).await }.instrument(span.clone()).await;

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
    TraceParent::parse(headers.get("traceparent")?.to_str().ok()?)
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
}

impl MakeRequestId for &RequestIds {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut id = String::with_capacity(self.route.len() + 16);
        id.push_str(&self.route);
        write!(id, "{number:x}").ok()?;
        HeaderValue::try_from(id).ok().map(RequestId::new)
    }
}

/// The span of a request. It omits the query, as a legacy query contains tokens.
struct RequestSpan<'a> {
    addon: &'a AddonId,
    id: Option<&'a HeaderValue>,
}

impl<B> MakeSpan<B> for RequestSpan<'_> {
    fn make_span(&mut self, request: &http::Request<B>) -> Span {
        tracing::info_span!(
            "marketplace",
            marketplace = self.addon.marketplace(),
            addon = self.addon.slug(),
            request_id = self.id.and_then(|id| id.to_str().ok()),
            method = %request.method(),
            path = excerpt(request.uri().path()),
            resource = field::Empty,
            trace_id = trace_of(request.headers()).as_ref().map(TraceParent::trace_id),
        )
    }
}
