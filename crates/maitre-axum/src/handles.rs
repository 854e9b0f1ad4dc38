//! The request of an operation and its response, in the contract of a marketplace.

use std::time::Duration;

use axum::response::Response;
use maitre_core::{Failure, FailureKind, OperationKind, Outcome, TraceParent};

use crate::contract::{Accepted, Call, Contract};
use crate::error_reply::ErrorReply;
use crate::log::record_resource;
use crate::operation::Operation;
use crate::route::log_unreadable;
use crate::task;
use crate::text::is_valid_id;

/// An operation in the contract of a marketplace: reads its request and writes its response. Both are pure functions.
///
/// See [`Contract`] for an example.
pub trait Handles<Q: Operation>: Contract {
    /// Reads the request, from any part of the call: path, query, headers, body or caller.
    ///
    /// # Errors
    /// Returns the answer to an invalid request. The listener is not called.
    fn request(&self, call: &Call<Self>) -> Result<Q, ErrorReply>;

    /// Writes the response to a completed operation.
    fn response(&self, call: &Call<Self>, reply: &Q::Reply) -> Response;

    /// Writes the response to an operation that had completed earlier. The default does not differ from the first one.
    fn replayed(&self, call: &Call<Self>, reply: &Q::Reply) -> Response {
        self.response(call, reply)
    }

    /// Returns the time after which the operation may be answered as accepted; `None` if this request needs its result
    /// in the response. The default follows the add-on's settings.
    fn async_after(&self, call: &Call<Self>, request: &Q) -> Option<Duration> {
        request.async_after(call.addon())
    }
}

/// Runs one operation.
pub(crate) async fn operate<M: Handles<Q>, Q: Operation>(call: Call<M>) -> Result<Response, ErrorReply> {
    let contract = call.addon().marketplace();
    // boxed, as it passes through several futures, each of which would copy it
    let mut request = Box::new(contract.request(&call).inspect_err(log_unreadable)?);
    check_text(&*request).inspect_err(log_unreadable)?;
    let (kind, resource) = (request.kind(), request.resource().clone());
    record_resource(&resource);
    let async_after = contract.async_after(&call, &request);
    let trace = call.trace();
    if let Some(context) = request.context_mut() {
        context.async_after = async_after;
        context.trace.clone_from(&trace);
    }

    let addon = call.shared_addon().clone();
    let outcome =
        task::run(call.shared_addon(), TraceParent::scope(trace, async move { request.run(&*addon).await })).await;
    let outcome = outcome.and_then(|outcome| {
        if let Outcome::Done(reply) | Outcome::Replayed(reply) = &outcome {
            Q::check(reply)?;
        }
        Ok(outcome)
    });
    match outcome {
        Ok(Outcome::Done(reply)) => Ok(contract.response(&call, &reply)),
        Ok(Outcome::Replayed(reply)) => Ok(contract.replayed(&call, &reply)),
        Ok(Outcome::Accepted { operation, message }) if async_after.is_some() => {
            tracing::info!("accepted: the operation continues in the background");
            Ok(contract.accepted(&call, &Accepted { kind, resource: &resource, operation, message: &message }))
        }
        Ok(_) => {
            // a marketplace that does not expect it may delist the add-on
            tracing::error!("the backend accepted an operation that must complete in its response: answered 503");
            Err(contract.failure(kind, &Failure::unavailable("accepted without permission")))
        }
        Err(failure) => Err(contract.failure(kind, &legal(kind, failure))),
    }
}

/// Checks the text that reaches the listener and the ledger.
pub(crate) fn check_text<Q: Operation>(request: &Q) -> Result<(), ErrorReply> {
    if request.resource().as_str().is_empty() {
        return Err(ErrorReply::bad_request("The id of the resource is empty."));
    }
    let binding = request.binding().is_none_or(|binding| is_valid_id(binding.as_str()));
    if !binding || !is_valid_id(request.resource().as_str()) {
        return Err(ErrorReply::not_found());
    }
    match request.plan() {
        Some(plan) if !is_valid_id(plan) => Err(ErrorReply::unprocessable("This plan does not exist.")),
        _ => Ok(()),
    }
}

/// Replaces a failure that no marketplace supports: a removal cannot be refused.
fn legal(operation: OperationKind, failure: Failure) -> Failure {
    let removal = match operation {
        OperationKind::Deprovision => "a deprovision",
        OperationKind::Unbind => "an unbind",
        _ => return failure,
    };
    if !matches!(failure.kind(), FailureKind::Refused | FailureKind::Conflict) {
        return failure;
    }
    tracing::error!("the listener refused {removal}, which no marketplace supports: answered 503");
    Failure::unavailable(format!("{removal} was refused"))
}
