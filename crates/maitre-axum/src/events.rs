//! Events: one request of a marketplace that concerns several resources.

use axum::response::Response;
use maitre_core::{Deprovision, Notice, OperationKind, PlanChange, Reinstate, Suspend, Update};

use crate::contract::{Call, Contract};
use crate::error_reply::ErrorReply;
use crate::handles::check_text;
use crate::log::record_resource;
use crate::operation::Operation;
use crate::route::log_unreadable;
use crate::task;

/// A part of a request with [`Events`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The marketplace notifies the vendor.
    Notice(Notice),
    /// The marketplace suspends a resource.
    Suspend(Suspend),
    /// The marketplace reinstates a resource.
    Reinstate(Reinstate),
    /// The plan of a resource changes.
    PlanChange(PlanChange),
    /// The parameters of a resource change.
    Update(Update),
    /// The marketplace deprovisions a resource.
    Deprovision(Deprovision),
}

/// A contract with a route whose request stands for any number of events, such as a list of suspended resources.
pub trait Events: Contract {
    /// Kinds of operations that the events stand for.
    const OPERATIONS: &'static [OperationKind];

    /// Reads the events. Events that the contract does not know are not an error: return none.
    ///
    /// # Errors
    /// Returns the answer to an invalid request. The listener is not called.
    fn events(&self, call: &Call<Self>) -> Result<Vec<Event>, ErrorReply>;

    /// Writes the response after the listener has handled all events.
    fn acknowledged(&self, call: &Call<Self>) -> Response;
}

/// Passes each event to the listener. A failure does not keep the others from it; the first one is answered.
pub(crate) async fn handle<M: Events>(call: Call<M>) -> Result<Response, ErrorReply> {
    let contract = call.addon().marketplace();
    let events = contract.events(&call).inspect_err(log_unreadable)?;
    let mut first_error = None;
    for event in events {
        if let Err(error) = handle_one(&call, event).await {
            first_error.get_or_insert(error);
        }
    }
    first_error.map_or_else(|| Ok(contract.acknowledged(&call)), Err)
}

async fn handle_one<M: Events>(call: &Call<M>, event: Event) -> Result<(), ErrorReply> {
    match event {
        Event::Notice(request) => run(call, request).await,
        Event::Suspend(request) => run(call, request).await,
        Event::Reinstate(request) => run(call, request).await,
        Event::PlanChange(request) => run(call, request).await,
        Event::Update(request) => run(call, request).await,
        Event::Deprovision(request) => run(call, request).await,
    }
}

async fn run<M: Contract, Q: Operation>(call: &Call<M>, request: Q) -> Result<(), ErrorReply> {
    let kind = request.kind();
    check_text(&request).inspect_err(log_unreadable)?;
    record_resource(request.resource());
    let addon = call.shared_addon().clone();
    let outcome = task::run(call.shared_addon(), async move { request.run(&*addon).await.map(drop) }).await;
    outcome.map_err(|failure| call.addon().marketplace().failure(kind, &failure))
}
