//! Middleware around every handler: logging, panic handling, authentication, body limit.

use std::any::Any;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, COOKIE};
use axum::http::{self, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use futures_util::FutureExt;
use http_body_util::{BodyExt, LengthLimitError};
use maitre_core::{Addon, Marketplace};
use tokio::time::timeout;
use tower::ServiceBuilder;
use tower_http::ServiceBuilderExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutError;
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
        async move {
            // the log is a layer, too: a panic in a subscriber must cost no more than this answer
            let response = AssertUnwindSafe(log.around(request, service)).catch_unwind().await;
            response.unwrap_or_else(|_| unavailable())
        }
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
    unavailable()
}

fn unavailable() -> Response {
    ErrorResponse::new(StatusCode::SERVICE_UNAVAILABLE, "The add-on cannot answer at the moment.").into_response()
}

/// Reads the body of a request, which must arrive within the add-on's answer budget.
pub(crate) async fn payload<M: Marketplace>(addon: &Addon<M>, request: Request) -> Result<Payload, BodyRejection> {
    let (limit, time_limit) = (addon.body_limit(), addon.answer_budget());
    let (parts, body) = request.into_parts();
    if parts
        .headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(BodyRejection::encoded());
    }
    match timeout(time_limit, body.collect()).await {
        Ok(Ok(body)) => Ok(Payload::with_headers(body.to_bytes(), &parts.headers, limit)),
        Ok(Err(error)) if has_source::<LengthLimitError>(&error) => Err(BodyRejection::too_large(limit)),
        Ok(Err(error)) if has_source::<TimeoutError>(&error) => Err(BodyRejection::timed_out()),
        Ok(Err(_)) => Err(BodyRejection::new("The body ended before its declared length.")),
        Err(_) => Err(BodyRejection::timed_out()),
    }
}

fn has_source<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(<dyn Error>::is::<E>)
}
