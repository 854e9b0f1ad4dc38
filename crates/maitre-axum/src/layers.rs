//! What stands around every handler: log, request id, panics, who may call, how much is read.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName};
use axum::http::{self, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on_service};
use http_body_util::{BodyExt, LengthLimitError};
use maitre_core::{Addon, AddonId, Marketplace, ResourceId};
use tower::ServiceBuilder;
use tower_http::ServiceBuilderExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestId, RequestId};
use tower_http::trace::{DefaultOnResponse, MakeSpan, TraceLayer};
use tower_http::validate_request::{ValidateRequest, ValidateRequestHeaderLayer};
use tracing::{Level, Span, field};

use crate::payload::{Malformed, Payload};
use crate::reply::Refusal;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One method of one path. The guard comes before the limit, so that a stranger is told nothing else.
pub(crate) fn route<M, S, G, H, T>(method: MethodFilter, addon: &Arc<Addon<M>>, guard: G, handler: H) -> MethodRouter<S>
where
    M: Marketplace,
    S: Clone + Send + Sync + 'static,
    G: ValidateRequest<Body, ResponseBody = Body> + Clone + Send + Sync + 'static,
    H: Handler<T, Arc<Addon<M>>>,
    T: 'static,
{
    let limit = addon.max_body();
    let service = ServiceBuilder::new()
        .sensitive_headers([AUTHORIZATION, COOKIE])
        .set_request_id(REQUEST_ID, Numbered::new())
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(Named(addon.id().clone()))
                .on_request(())
                .on_response(DefaultOnResponse::new().level(Level::INFO))
                .on_body_chunk(())
                .on_eos(()),
        )
        .propagate_request_id(REQUEST_ID)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(ValidateRequestHeaderLayer::custom(guard))
        .map_response(move |response: http::Response<_>| too_large_in_json(response.map(Body::new), limit))
        .layer(RequestBodyLimitLayer::new(limit))
        .service(handler.with_state(addon.clone()));
    on_service(method, service)
}

/// Lets everyone in: single sign-on is called by browsers, and its token is in the form.
#[derive(Clone, Copy)]
pub(crate) struct Open;

impl<B> ValidateRequest<B> for Open {
    type ResponseBody = Body;

    fn validate(&mut self, _: &mut http::Request<B>) -> Result<(), Response> {
        Ok(())
    }
}

/// The limit layer answers a declared length by itself, and not in the JSON that marketplaces read.
fn too_large_in_json(response: Response, limit: usize) -> Response {
    let ours = response.headers().get(CONTENT_TYPE).is_some_and(|content_type| content_type == "application/json");
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE && !ours {
        Refusal::from(Malformed::too_large(limit)).into_response()
    } else {
        response
    }
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a panic outside the listener: this is a fault of maitre or of a layer inside it");
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "The add-on cannot answer at the moment.").into_response()
}

/// Request ids for callers that send none: a random number for the route and a count, without a system call for each.
#[derive(Clone)]
struct Numbered {
    route: u64,
    next: Arc<AtomicU64>,
}

impl Numbered {
    fn new() -> Self {
        Self { route: uuid::Uuid::new_v4().as_u64_pair().0, next: Arc::default() }
    }
}

impl MakeRequestId for Numbered {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:016x}-{number:x}", self.route);
        HeaderValue::try_from(id).ok().map(RequestId::new)
    }
}

/// A span that says for whom and under which id, the path without its query: a legacy query holds tokens.
#[derive(Clone)]
struct Named(AddonId);

impl<B> MakeSpan<B> for Named {
    fn make_span(&mut self, request: &http::Request<B>) -> Span {
        tracing::info_span!(
            "marketplace",
            marketplace = self.0.marketplace(),
            addon = self.0.slug(),
            request_id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()),
            method = %request.method(),
            path = request.uri().path(),
            resource = field::Empty,
        )
    }
}

/// Writes the resource into the request's span, for every line that follows.
pub(crate) fn about(resource: &ResourceId) {
    Span::current().record("resource", resource.as_str());
}

/// The request's body and headers, apart.
pub(crate) async fn payload(request: Request, limit: usize) -> Result<Payload, Malformed> {
    let (parts, body) = request.into_parts();
    match body.collect().await {
        Ok(body) => Ok(Payload::with_headers(body.to_bytes(), &parts.headers)),
        Err(error) if is_over_limit(&error) => Err(Malformed::too_large(limit)),
        Err(_) => Err(Malformed::new("The body ended before its announced end.")),
    }
}

fn is_over_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(<dyn std::error::Error>::is::<LengthLimitError>)
}
