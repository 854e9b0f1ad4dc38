//! The interface that routers call: a [`Listener`], or a ledger around one.

use std::future::{Future, ready};

use crate::capabilities::Capabilities;
use crate::failure::{Failure, Result};
use crate::listener::Listener;
use crate::operation::{OperationStatus, Outcome};
use crate::replies::{
    Bound, Deprovisioned, PlanChanged, Provisioned, ResourceDetails, Rotated, SignedOn, Unbound, Updated,
};
use crate::requests::{
    Bind, Deprovision, Fetch, FetchBinding, LastOperation, Notice, PlanChange, Provision, Reinstate, Rotate, Suspend,
    Unbind, Update,
};
use crate::sign_on::SignOn;

/// Recorded work that a worker continues; see [`Backend::resume`].
///
/// ```
/// use maitre_core::WorkItem;
///
/// assert_ne!(WorkItem::Operation(7), WorkItem::Job(7));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WorkItem {
    /// Id of an operation in the ledger.
    Operation(i64),
    /// Id of a [job](crate::Job) in the ledger.
    Job(i64),
}

/// The interface behind a router.
///
/// Every [`Listener`] is a `Backend` that completes each operation within the call. A ledger's durable listener is one
/// that may also accept an operation and complete it later, and that answers reads. Vendors implement [`Listener`].
pub trait Backend: Send + Sync + 'static {
    /// Provisions a resource; see [`Listener::provision`].
    fn provision(&self, request: Provision) -> impl Future<Output = Result<Outcome<Provisioned>>> + Send;

    /// Changes the plan of a resource; see [`Listener::plan_change`].
    fn plan_change(&self, request: PlanChange) -> impl Future<Output = Result<Outcome<PlanChanged>>> + Send;

    /// Changes the parameters of a resource; see [`Listener::update`].
    fn update(&self, request: Update) -> impl Future<Output = Result<Outcome<Updated>>> + Send;

    /// Deprovisions a resource; see [`Listener::deprovision`].
    fn deprovision(&self, request: Deprovision) -> impl Future<Output = Result<Outcome<Deprovisioned>>> + Send;

    /// Creates a binding; see [`Listener::bind`].
    fn bind(&self, request: Bind) -> impl Future<Output = Result<Outcome<Bound>>> + Send;

    /// Removes a binding; see [`Listener::unbind`].
    fn unbind(&self, request: Unbind) -> impl Future<Output = Result<Outcome<Unbound>>> + Send;

    /// Replaces the credentials of a resource; see [`Listener::rotate`].
    fn rotate(&self, request: Rotate) -> impl Future<Output = Result<Outcome<Rotated>>> + Send;

    /// Suspends a resource; see [`Listener::suspend`].
    fn suspend(&self, request: Suspend) -> impl Future<Output = Result<()>> + Send;

    /// Reinstates a resource; see [`Listener::reinstate`].
    fn reinstate(&self, request: Reinstate) -> impl Future<Output = Result<()>> + Send;

    /// Handles a notification; see [`Listener::notice`].
    fn notice(&self, notice: Notice) -> impl Future<Output = Result<()>> + Send;

    /// Signs a user in; see [`Listener::single_sign_on`].
    fn single_sign_on(&self, request: SignOn) -> impl Future<Output = Result<SignedOn>> + Send;

    /// Returns the state of an operation. Only a ledger knows it; the default answers
    /// [`Failure::unknown`](crate::Failure::unknown).
    fn last_operation(&self, request: LastOperation) -> impl Future<Output = Result<OperationStatus>> + Send {
        drop(request);
        ready(Err(Failure::unknown()))
    }

    /// Returns the record of a resource. Only a ledger has one; the default answers
    /// [`Failure::unknown`](crate::Failure::unknown).
    fn fetch(&self, request: Fetch) -> impl Future<Output = Result<ResourceDetails>> + Send {
        drop(request);
        ready(Err(Failure::unknown()))
    }

    /// Returns the recorded reply to a bind. Only a ledger has one; the default answers
    /// [`Failure::unknown`](crate::Failure::unknown).
    fn fetch_binding(&self, request: FetchBinding) -> impl Future<Output = Result<Bound>> + Send {
        drop(request);
        ready(Err(Failure::unknown()))
    }

    /// Continues recorded work. Only a ledger has any; the default does nothing.
    fn resume(&self, item: WorkItem) -> impl Future<Output = Result<()>> + Send {
        let _ = item;
        ready(Ok(()))
    }

    /// Returns the optional parts of the listener; see [`Listener::capabilities`].
    fn capabilities(&self) -> Capabilities;
}

/// Implements `Backend` for a listener: recorded operations are completed within the call.
macro_rules! complete_within_the_call {
    (
        operations { $($operation:ident($request:ty) -> $reply:ty;)* }
        others { $($other:ident($other_request:ty) -> $other_reply:ty;)* }
    ) => {
        impl<L: Listener> Backend for L {
            $(async fn $operation(&self, request: $request) -> Result<Outcome<$reply>> {
                Listener::$operation(self, request).await.map(Outcome::Done)
            })*
            $(fn $other(&self, request: $other_request) -> impl Future<Output = Result<$other_reply>> + Send {
                Listener::$other(self, request)
            })*

            fn capabilities(&self) -> Capabilities {
                Listener::capabilities(self)
            }
        }
    };
}

complete_within_the_call! {
    operations {
        provision(Provision) -> Provisioned;
        plan_change(PlanChange) -> PlanChanged;
        update(Update) -> Updated;
        deprovision(Deprovision) -> Deprovisioned;
        bind(Bind) -> Bound;
        unbind(Unbind) -> Unbound;
        rotate(Rotate) -> Rotated;
    }
    others {
        suspend(Suspend) -> ();
        reinstate(Reinstate) -> ();
        notice(Notice) -> ();
        single_sign_on(SignOn) -> SignedOn;
    }
}
