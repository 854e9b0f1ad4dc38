//! One method of one path: log, panics, authentication, body.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::http::{Extensions, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use futures_util::FutureExt;
use maitre_core::{Addon, AddonId};

use crate::body;
use crate::contract::{Call, Contract, Head, error_response};
use crate::error_reply::ErrorReply;
use crate::log::Log;
use crate::throttle::Throttle;

/// A check between authentication and body; see [`Routes::before_body`](crate::Routes::before_body).
pub(crate) type Check<M> = fn(&Call<M>) -> Result<(), ErrorReply>;

/// Conditions that a call has to pass before its operation, for all routes of a router.
pub(crate) struct Admission<M: Contract> {
    pub(crate) checks: Vec<Check<M>>,
    pub(crate) throttle: Throttle,
}

/// Builds one method of one path. A panic, also of a subscriber of the log, costs no more than this answer.
pub(crate) fn route<M, S, H, F>(
    addon: &Arc<Addon<M>>,
    method: MethodFilter,
    operation: &'static str,
    handler: H,
) -> MethodRouter<S>
where
    M: Contract,
    S: Clone + Send + Sync + 'static,
    H: Fn(Arc<Addon<M>>, Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response, ErrorReply>> + Send + 'static,
{
    let log = Arc::new(Log::new(addon.id().clone(), operation));
    let addon = addon.clone();
    on(method, move |request: Request| {
        let (log, addon, handler) = (log.clone(), addon.clone(), handler.clone());
        async move {
            let answer = |request| answer(&addon, request, &handler);
            let response = AssertUnwindSafe(log.around(request, answer)).catch_unwind().await;
            response.unwrap_or_else(|_| unavailable(&*addon))
        }
    })
}

async fn answer<M: Contract, F>(
    addon: &Arc<Addon<M>>,
    request: Request,
    handler: impl Fn(Arc<Addon<M>>, Request) -> F,
) -> Response
where
    F: Future<Output = Result<Response, ErrorReply>>,
{
    let headers = addon.marketplace().response_headers(request.headers());
    let answer = async {
        let answer = handler(addon.clone(), request).await;
        answer.unwrap_or_else(|error| error_response(addon.marketplace(), &error))
    };
    let mut response = AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("panic outside the listener: a bug in maitre, in a contract or in a layer inside it");
        unavailable(addon)
    });
    if !headers.is_empty() {
        response.headers_mut().extend(headers);
    }
    response
}

fn unavailable<M: Contract>(addon: &Addon<M>) -> Response {
    error_response(addon.marketplace(), &ErrorReply::unavailable())
}

/// Authenticates a request and reads its body. Authentication comes first, so that an unauthenticated caller learns
/// nothing else.
pub(crate) async fn admit<M: Contract>(
    addon: Arc<Addon<M>>,
    request: Request,
    admission: &Admission<M>,
    reads_body: bool,
) -> Result<Call<M>, ErrorReply> {
    let refuse = |error: ErrorReply, addon: &AddonId, extensions: &Extensions| {
        crate::metrics::authentication_failure(addon, "credentials");
        let error = admission.throttle.answer(extensions, error, Instant::now());
        log_unauthenticated(&error);
        error
    };
    let (parts, content) = request.into_parts();
    let head = Head::from_parts(addon, parts);
    let contract = head.addon().marketplace();
    let caller = contract.authenticate(&head).await;
    let caller = caller.map_err(|error| refuse(error, head.addon().id(), &head.parts().extensions))?;
    let mut call = head.with_caller(caller);
    admission.checks.iter().try_for_each(|check| check(&call)).inspect_err(log_unreadable)?;
    body::check_length(call.addon(), call.headers()).inspect_err(log_unreadable)?;
    if reads_body {
        let content = body::read(call.addon(), call.headers(), content).await.inspect_err(log_unreadable)?;
        call.set_body(content);
    }
    let addon = call.shared_addon().clone();
    let authenticated = addon.marketplace().authenticate_body(&mut call).await;
    authenticated.map_err(|error| refuse(error, addon.id(), &call.parts().extensions))?;
    Ok(call)
}

/// Reads a request of a route without authentication.
pub(crate) async fn admit_all<M: Contract>(
    addon: Arc<Addon<M>>,
    request: Request,
    reads_body: bool,
) -> Result<Head<M>, ErrorReply> {
    let (parts, content) = request.into_parts();
    let mut head = Head::from_parts(addon, parts);
    body::check_length(head.addon(), head.headers()).inspect_err(log_unreadable)?;
    if reads_body {
        let content = body::read(head.addon(), head.headers(), content).await.inspect_err(log_unreadable)?;
        head.set_body(content);
    }
    Ok(head)
}

fn log_unauthenticated(error: &ErrorReply) {
    if error.status() == StatusCode::TOO_MANY_REQUESTS {
        return tracing::debug!("refused another caller without the add-on's credentials");
    }
    tracing::warn!(status = error.status().as_u16(), "refused a caller without the add-on's credentials: {error}");
}

pub(crate) fn log_unreadable(error: &ErrorReply) {
    tracing::warn!(status = error.status().as_u16(), "refused a request that cannot be read: {error}");
}
