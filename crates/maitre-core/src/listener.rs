//! The trait that a vendor implements.

use std::future::Future;
use std::sync::Arc;

use crate::failure::Result;
use crate::replies::{Deprovisioned, PlanChanged, Provisioned, SignedOn};
use crate::requests::{Deprovision, PlanChange, PlanWarning, Provision};
use crate::sign_on::SignOn;

/// The trait that a vendor implements: four methods, written as plain `async fn`.
///
/// Marketplaces deliver at least once and retry after a timeout: each method may run again with the same request, also
/// concurrently, and must end in the same state. `provision` is create-or-get by
/// [`request.resource`](Provision::resource) under a unique constraint. A call outlives its request: it continues when
/// the caller disconnects, and when the answer budget of the [`Addon`](crate::Addon) has passed.
///
/// `?` converts any error to [`Failure::unavailable`](crate::Failure::unavailable), which is answered 503. A panic is
/// answered 503, too.
///
/// ```
/// use maitre_core::{
///     AddonId, Deprovision, Deprovisioned, Failure, Listener, PlanChange, PlanChanged, Provision, Provisioned, Result,
///     SignOn, SignedOn,
/// };
///
/// struct Widgets;
///
/// impl Listener for Widgets {
///     async fn provision(&self, request: Provision) -> Result<Provisioned> {
///         match request.plan.as_str() {
///             "basic" => Ok(Provisioned::new(request.resource).with_config("WIDGET_KEY", "k-1")),
///             other => Err(Failure::refused(format!("The plan {other} does not exist."))),
///         }
///     }
///     async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> {
///         Ok(PlanChanged::new())
///     }
///     async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> {
///         Ok(Deprovisioned::new())
///     }
///     async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
///         Ok(SignedOn::redirect("/dashboard").with_session("widget", request.resource))
///     }
/// }
///
/// let addon = AddonId::new("heroku", "widgets");
/// let call = Widgets.provision(Provision::new(addon, "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21", "basic"));
/// # let mut call = std::pin::pin!(call);
/// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// # let std::task::Poll::Ready(reply) = std::future::Future::poll(call.as_mut(), &mut cx) else { panic!() };
/// assert_eq!(reply.unwrap().id().as_str(), "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21");
/// ```
pub trait Listener: Send + Sync + 'static {
    /// Provisions a resource. Heroku and cloudControl: `POST /resources`; Opperator: `POST /instances`.
    ///
    /// Return within a few seconds. The reply contains the vendor's id for later requests, and the config vars.
    fn provision(&self, request: Provision) -> impl Future<Output = Result<Provisioned>> + Send;

    /// Changes the plan of a resource: `PUT` on the resource.
    ///
    /// If the resource already has this plan, return success: the marketplace may have missed the first response.
    fn plan_change(&self, request: PlanChange) -> impl Future<Output = Result<PlanChanged>> + Send;

    /// Deprovisions a resource: `DELETE` on the resource.
    ///
    /// It is valid in every state and needs neither a token nor a known plan. For a deprovisioned resource return
    /// [`Failure::gone`](crate::Failure::gone), for an unknown one [`Failure::unknown`](crate::Failure::unknown).
    fn deprovision(&self, request: Deprovision) -> impl Future<Output = Result<Deprovisioned>> + Send;

    /// Signs in a user who came from the marketplace with a valid token.
    ///
    /// Never create a resource here. For an unknown one return [`Failure::unknown`](crate::Failure::unknown), which is
    /// answered with a 404 page.
    fn single_sign_on(&self, request: SignOn) -> impl Future<Output = Result<SignedOn>> + Send;

    /// Handles a warning that a customer is close to a limit of the plan. Sent only by Opperator. The default does
    /// nothing.
    fn plan_warning(&self, request: PlanWarning) -> impl Future<Output = Result<()>> + Send {
        drop(request);
        std::future::ready(Ok(()))
    }
}

impl<L: Listener> Listener for Arc<L> {
    fn provision(&self, request: Provision) -> impl Future<Output = Result<Provisioned>> + Send {
        L::provision(self, request)
    }
    fn plan_change(&self, request: PlanChange) -> impl Future<Output = Result<PlanChanged>> + Send {
        L::plan_change(self, request)
    }
    fn deprovision(&self, request: Deprovision) -> impl Future<Output = Result<Deprovisioned>> + Send {
        L::deprovision(self, request)
    }
    fn single_sign_on(&self, request: SignOn) -> impl Future<Output = Result<SignedOn>> + Send {
        L::single_sign_on(self, request)
    }
    fn plan_warning(&self, request: PlanWarning) -> impl Future<Output = Result<()>> + Send {
        L::plan_warning(self, request)
    }
}
