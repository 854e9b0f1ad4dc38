//! The interface that routers call: a [`Listener`], or a ledger around one.

use std::future::Future;

use crate::failure::Result;
use crate::future::BoxFuture;
use crate::listener::Listener;
use crate::replies::{Deprovisioned, PlanChanged, Provisioned, SignedOn};
use crate::requests::{Deprovision, PlanChange, PlanWarning, Provision};
use crate::sign_on::SignOn;

/// The result of an operation that did not fail: completed, or accepted and completed later.
///
/// ```
/// use maitre_core::Outcome;
///
/// assert_eq!(Outcome::Done(7).done(), Some(7));
/// let accepted = Outcome::<i32>::Accepted { operation: 1, message: "It will be ready in a few minutes.".into() };
/// assert_eq!(accepted.done(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<T> {
    /// The operation has completed with this reply.
    Done(T),
    /// The operation continues in the background. The marketplace is notified when it completes. Heroku: 202.
    ///
    /// Returned only where the request allows it; see [`Context::async_after`](crate::Context::async_after).
    Accepted {
        /// Id of the operation in the ledger.
        operation: i64,
        /// Sentence for the customer.
        message: String,
    },
}

impl<T> Outcome<T> {
    /// Returns the reply of a completed operation.
    #[must_use]
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(reply) => Some(reply),
            Self::Accepted { .. } => None,
        }
    }
}

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
/// that may also accept an operation and complete it later. Vendors implement [`Listener`].
pub trait Backend: Send + Sync + 'static {
    /// Provisions a resource; see [`Listener::provision`].
    fn provision(&self, request: Provision) -> impl Future<Output = Result<Outcome<Provisioned>>> + Send;

    /// Changes the plan of a resource; see [`Listener::plan_change`].
    fn plan_change(&self, request: PlanChange) -> impl Future<Output = Result<Outcome<PlanChanged>>> + Send;

    /// Deprovisions a resource; see [`Listener::deprovision`].
    fn deprovision(&self, request: Deprovision) -> impl Future<Output = Result<Outcome<Deprovisioned>>> + Send;

    /// Signs a user in; see [`Listener::single_sign_on`].
    fn single_sign_on(&self, request: SignOn) -> impl Future<Output = Result<SignedOn>> + Send;

    /// Handles a plan warning; see [`Listener::plan_warning`].
    fn plan_warning(&self, request: PlanWarning) -> impl Future<Output = Result<()>> + Send;

    /// Continues recorded work. Only a ledger has any; the default does nothing.
    fn resume(&self, item: WorkItem) -> impl Future<Output = Result<()>> + Send {
        let _ = item;
        std::future::ready(Ok(()))
    }
}

impl<L: Listener> Backend for L {
    async fn provision(&self, request: Provision) -> Result<Outcome<Provisioned>> {
        Listener::provision(self, request).await.map(Outcome::Done)
    }
    async fn plan_change(&self, request: PlanChange) -> Result<Outcome<PlanChanged>> {
        Listener::plan_change(self, request).await.map(Outcome::Done)
    }
    async fn deprovision(&self, request: Deprovision) -> Result<Outcome<Deprovisioned>> {
        Listener::deprovision(self, request).await.map(Outcome::Done)
    }
    fn single_sign_on(&self, request: SignOn) -> impl Future<Output = Result<SignedOn>> + Send {
        Listener::single_sign_on(self, request)
    }
    fn plan_warning(&self, request: PlanWarning) -> impl Future<Output = Result<()>> + Send {
        Listener::plan_warning(self, request)
    }
}

/// Object-safe twin of [`Backend`]: boxes one future per call, so that vendors write plain `async fn`.
pub(crate) trait DynBackend: Send + Sync + 'static {
    fn provision(&self, request: Provision) -> BoxFuture<'_, Result<Outcome<Provisioned>>>;
    fn plan_change(&self, request: PlanChange) -> BoxFuture<'_, Result<Outcome<PlanChanged>>>;
    fn deprovision(&self, request: Deprovision) -> BoxFuture<'_, Result<Outcome<Deprovisioned>>>;
    fn single_sign_on(&self, request: SignOn) -> BoxFuture<'_, Result<SignedOn>>;
    fn plan_warning(&self, request: PlanWarning) -> BoxFuture<'_, Result<()>>;
    fn resume(&self, item: WorkItem) -> BoxFuture<'_, Result<()>>;
}

impl<B: Backend> DynBackend for B {
    fn provision(&self, request: Provision) -> BoxFuture<'_, Result<Outcome<Provisioned>>> {
        Box::pin(Backend::provision(self, request))
    }
    fn plan_change(&self, request: PlanChange) -> BoxFuture<'_, Result<Outcome<PlanChanged>>> {
        Box::pin(Backend::plan_change(self, request))
    }
    fn deprovision(&self, request: Deprovision) -> BoxFuture<'_, Result<Outcome<Deprovisioned>>> {
        Box::pin(Backend::deprovision(self, request))
    }
    fn single_sign_on(&self, request: SignOn) -> BoxFuture<'_, Result<SignedOn>> {
        Box::pin(Backend::single_sign_on(self, request))
    }
    fn plan_warning(&self, request: PlanWarning) -> BoxFuture<'_, Result<()>> {
        Box::pin(Backend::plan_warning(self, request))
    }
    fn resume(&self, item: WorkItem) -> BoxFuture<'_, Result<()>> {
        Box::pin(Backend::resume(self, item))
    }
}
