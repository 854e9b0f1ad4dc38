//! Middleware around every handler: logging, panic handling, authentication, body limit.

use std::any::Any;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use axum::http::{self, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http_body_util::{BodyExt, LengthLimitError};
use maitre_core::{Addon, Marketplace};
use tower::ServiceBuilder;
use tower_http::ServiceBuilderExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::validate_request::{ValidateRequest, ValidateRequestHeaderLayer};

use crate::error_response::ErrorResponse;
use crate::log::Log;
use crate::payload::Payload;
use crate::rejection::BodyRejection;

/// Builds one method of one path. Authentication comes before the body limit, so that an unauthenticated caller learns
/// nothing else.
pub(crate) fn route<M, S, G, H, T>(method: MethodFilter, addon: &Arc<Addon<M>>, guard: G, handler: H) -> MethodRouter<S>
where
    M: Marketplace,
    S: Clone + Send + Sync + 'static,
    G: ValidateRequest<Body, ResponseBody = Body> + Clone + Send + Sync + 'static,
    H: Handler<T, Arc<Addon<M>>>,
    T: 'static,
{
    let limit = addon.body_limit();
    let service = ServiceBuilder::new()
        .sensitive_request_headers(Arc::new([AUTHORIZATION, COOKIE]))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(ValidateRequestHeaderLayer::custom(guard))
        .map_response(move |response: http::Response<_>| too_large_in_json(response.map(Body::new), limit))
        .layer(RequestBodyLimitLayer::new(limit))
        .service(handler.with_state(addon.clone()));
    let log = Arc::new(Log::new(addon.id().clone()));
    on(method, move |request: Request| {
        let (log, service) = (log.clone(), service.clone());
        async move { log.around(request, service).await }
    })
}

/// Admits every caller: single sign-on is called by browsers, and its token is in the form.
#[derive(Clone, Copy)]
pub(crate) struct AllowAll;

impl<B> ValidateRequest<B> for AllowAll {
    type ResponseBody = Body;

    fn validate(&mut self, _: &mut http::Request<B>) -> Result<(), Response> {
        Ok(())
    }
}

/// Rewrites the limit layer's own 413 for a declared length as JSON, which marketplaces expect.
fn too_large_in_json(response: Response, limit: usize) -> Response {
    let ours = response.headers().get(CONTENT_TYPE).is_some_and(|content_type| content_type == "application/json");
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE && !ours {
        ErrorResponse::from(BodyRejection::too_large(limit)).into_response()
    } else {
        response
    }
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("panic outside the listener: a bug in maitre or in a layer inside it");
    ErrorResponse::new(StatusCode::SERVICE_UNAVAILABLE, "The add-on cannot answer at the moment.").into_response()
}

/// Reads the body of a request.
pub(crate) async fn payload(request: Request, limit: usize) -> Result<Payload, BodyRejection> {
    let (parts, body) = request.into_parts();
    match body.collect().await {
        Ok(body) => Ok(Payload::with_headers(body.to_bytes(), &parts.headers)),
        Err(error) if is_over_limit(&error) => Err(BodyRejection::too_large(limit)),
        Err(_) => Err(BodyRejection::new("The body ended before its declared length.")),
    }
}

fn is_over_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(<dyn std::error::Error>::is::<LengthLimitError>)
}
