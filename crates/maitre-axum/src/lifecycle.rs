//! Routes of the resource lifecycle: provision, plan change, deprovision.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use maitre_core::{Addon, Backend, Deprovision, Failure, FailureKind, Outcome, ResourceId};
use serde_json::json;

use crate::contract::{Contract, failure_response};
use crate::error_response::ErrorResponse;
use crate::guard::Guard;
use crate::layers::{payload, route};
use crate::log::record_resource;
use crate::path::PathId;
use crate::rejection::BodyRejection;
use crate::reply;
use crate::routes::Routes;
use crate::task;
use crate::text::is_valid_id;

/// Builds the routes of a resource: `POST` on the collection, `PUT` and `DELETE` on a resource. All of them require the
/// add-on's credentials.
///
/// Any path segment is an id. See [`Contract`] for an example.
pub fn lifecycle<M, S>(addon: &Addon<M>, collection: &str) -> Routes<S>
where
    M: Contract,
    S: Clone + Send + Sync + 'static,
{
    let addon = &Arc::new(addon.clone());
    let guard = Guard(addon.clone());
    let provisions = route(MethodFilter::POST, addon, guard.clone(), provision::<M>);
    let plan_changes = route(MethodFilter::PUT, addon, guard.clone(), plan_change::<M>);
    let deprovisions = route(MethodFilter::DELETE, addon, guard, deprovision::<M>);
    Routes::new().route(collection, provisions).route(&format!("{collection}/{{id}}"), plan_changes.merge(deprovisions))
}

async fn provision<M: Contract>(
    State(addon): State<Arc<Addon<M>>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let body = payload(&addon, request).await?;
    let mut request = addon.marketplace().provision(addon.id().clone(), &body, addon.now())?;
    check_plan(&request.plan)?;
    record_resource(&request.resource);
    request.context.async_after = addon.async_after().filter(|_| request.context.keyed);
    let may_accept = request.context.async_after.is_some();
    let (work, resource) = (addon.clone(), request.resource.clone());
    let outcome = task::run(&addon, async move { work.provision(request).await }).await;
    let done = match outcome.map_err(failure_response::<M>)? {
        Outcome::Done(reply) | Outcome::Replayed(reply) => reply,
        outcome => return accepted(&addon, may_accept, Some(&resource), outcome),
    };
    if done.id().as_str().is_empty() {
        tracing::error!("the listener returned an empty id: return an id for later requests");
        return Err(failure_response::<M>(Failure::unavailable("an empty id")));
    }
    Ok(addon.marketplace().provisioned(&done))
}

async fn plan_change<M: Contract>(
    State(addon): State<Arc<Addon<M>>>,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let body = payload(&addon, request).await?;
    let mut request = addon.marketplace().plan_change(addon.id().clone(), id, &body)?;
    check_plan(&request.plan)?;
    request.context.async_after = addon.async_after();
    let may_accept = request.context.async_after.is_some();
    let work = addon.clone();
    let outcome = task::run(&addon, async move { work.plan_change(request).await }).await;
    match outcome.map_err(failure_response::<M>)? {
        Outcome::Done(reply) | Outcome::Replayed(reply) => Ok(addon.marketplace().plan_changed(&reply)),
        outcome => accepted(&addon, may_accept, None, outcome),
    }
}

fn check_plan(plan: &str) -> Result<(), BodyRejection> {
    if is_valid_id(plan) { Ok(()) } else { Err(BodyRejection::unprocessable("This plan does not exist.")) }
}

/// Handles a deprovision. A body, if any, is not read.
async fn deprovision<M: Contract>(
    State(addon): State<Arc<Addon<M>>>,
    PathId(id): PathId,
) -> Result<Response, ErrorResponse> {
    let mut request = Deprovision::new(addon.id().clone(), id);
    request.context.async_after = addon.async_deprovision_after();
    let may_accept = request.context.async_after.is_some();
    let work = addon.clone();
    let outcome = task::run(&addon, async move { work.deprovision(request).await }).await;
    let outcome = outcome.map_err(|failure| {
        let refused = matches!(failure.kind(), FailureKind::Refused | FailureKind::Conflict);
        if refused {
            tracing::error!("the listener refused a deprovision, which no marketplace supports: answered 503");
        }
        failure_response::<M>(if refused { Failure::unavailable("a refused deprovision") } else { failure })
    })?;
    match outcome {
        Outcome::Done(reply) | Outcome::Replayed(reply) => Ok(addon.marketplace().deprovisioned(&reply)),
        outcome => accepted(&addon, may_accept, None, outcome),
    }
}

/// Answers an accepted operation, where the request allowed it: a marketplace that does not expect 202 may delist the
/// add-on.
fn accepted<M: Contract, T>(
    addon: &Addon<M>,
    allowed: bool,
    resource: Option<&ResourceId>,
    outcome: Outcome<T>,
) -> Result<Response, ErrorResponse> {
    match outcome {
        Outcome::Accepted { message, .. } if allowed => {
            tracing::info!("accepted: the marketplace is notified on completion");
            Ok(addon.marketplace().accepted(resource, &message))
        }
        _ => {
            tracing::error!("the backend accepted an operation that must complete in its response: answered 503");
            Err(failure_response::<M>(Failure::unavailable("accepted without permission")))
        }
    }
}

/// Builds a route that answers 200 to a notification without calling the listener. It requires the add-on's
/// credentials.
///
/// For obsolete notifications, so that they do not appear as errors in a log.
pub fn acknowledge<M, S>(addon: &Addon<M>) -> MethodRouter<S>
where
    M: Contract,
    S: Clone + Send + Sync + 'static,
{
    let addon = Arc::new(addon.clone());
    route(MethodFilter::POST, &addon, Guard(addon.clone()), async || reply::json(StatusCode::OK, &json!({})))
}

/// Builds the route of a notification: `PUT` on a path with an `{id}`. It requires the add-on's credentials.
pub fn notice<M, S>(addon: &Addon<M>) -> MethodRouter<S>
where
    M: Contract,
    S: Clone + Send + Sync + 'static,
{
    let addon = Arc::new(addon.clone());
    route(MethodFilter::PUT, &addon, Guard(addon.clone()), notify::<M>)
}

async fn notify<M: Contract>(
    State(addon): State<Arc<Addon<M>>>,
    PathId(id): PathId,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let body = payload(&addon, request).await?;
    let request = addon.marketplace().notice(addon.id().clone(), id, &body)?;
    let work = addon.clone();
    task::run(&addon, async move { work.notice(request).await }).await.map_err(failure_response::<M>)?;
    Ok(reply::json(StatusCode::OK, &json!({})))
}
