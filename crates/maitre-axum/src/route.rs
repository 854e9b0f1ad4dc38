//! One method of one path: log, panics, authentication, body.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Extensions, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use futures_util::FutureExt;
use maitre_core::{Addon, AddonId};
use tracing::Instrument;

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
    H: Fn(Head<M>, Body) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response, ErrorReply>> + Send + 'static,
{
    let log = Log::new(addon.id().clone(), operation);
    let route = Arc::new(Route { addon: addon.clone(), log, handler });
    on(method, move |request: Request| {
        let route = route.clone();
        async move {
            let response = AssertUnwindSafe(route.respond(request)).catch_unwind().await;
            response.unwrap_or_else(|_| unavailable(&*route.addon))
        }
    })
}

struct Route<M, H> {
    addon: Arc<Addon<M>>,
    log: Log,
    handler: H,
}

impl<M, H, F> Route<M, H>
where
    M: Contract,
    H: Fn(Head<M>, Body) -> F,
    F: Future<Output = Result<Response, ErrorReply>>,
{
    async fn respond(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let head = Head::from_parts(self.addon.clone(), parts);
        let logged = self.log.begin(head.parts(), head.sent_trace());
        let response = self.answer(head, body).instrument(logged.span()).await;
        self.log.end(logged, response)
    }

    async fn answer(&self, head: Head<M>, body: Body) -> Response {
        let contract = self.addon.marketplace();
        let headers = contract.response_headers(head.headers());
        // in an async block, as the handler may panic before it returns its future
        let answer = AssertUnwindSafe(async { (self.handler)(head, body).await }).catch_unwind().await;
        let mut response = answer.map_or_else(
            |_| {
                tracing::error!("panic outside the listener: a bug in maitre, in a contract or in a layer inside it");
                unavailable(&*self.addon)
            },
            |answer| answer.unwrap_or_else(|error| error_response(contract, &error)),
        );
        if !headers.is_empty() {
            response.headers_mut().extend(headers);
        }
        response
    }
}

fn unavailable<M: Contract>(addon: &Addon<M>) -> Response {
    error_response(addon.marketplace(), &ErrorReply::unavailable())
}

/// Authenticates a request and reads its body. Authentication comes first, so that an unauthenticated caller learns
/// nothing else.
pub(crate) async fn admit<M: Contract>(
    head: Head<M>,
    body: Body,
    admission: &Admission<M>,
    reads_body: bool,
) -> Result<Call<M>, ErrorReply> {
    let refuse = |error: ErrorReply, addon: &AddonId, extensions: &Extensions| {
        crate::metrics::authentication_failure(addon, "credentials");
        let error = admission.throttle.answer(extensions, error, Instant::now());
        log_unauthenticated(&error);
        error
    };
    let caller = head.addon().marketplace().authenticate(&head).await;
    let caller = caller.map_err(|error| refuse(error, head.addon().id(), &head.parts().extensions))?;
    let mut call = head.with_caller(caller);
    admission.checks.iter().try_for_each(|check| check(&call)).inspect_err(log_unreadable)?;
    body::read(&mut call, body, reads_body).await.inspect_err(log_unreadable)?;
    let addon = call.shared_addon().clone();
    let authenticated = addon.marketplace().authenticate_body(&mut call).await;
    authenticated.map_err(|error| refuse(error, addon.id(), &call.parts().extensions))?;
    Ok(call)
}

/// Reads a request of a route without authentication.
pub(crate) async fn admit_all<M: Contract>(
    mut head: Head<M>,
    body: Body,
    reads_body: bool,
) -> Result<Head<M>, ErrorReply> {
    body::read(&mut head, body, reads_body).await.inspect_err(log_unreadable)?;
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
