//! The trait that a vendor implements.

use std::future::Future;
use std::sync::Arc;

use crate::failure::Result;
use crate::replies::{Deprovisioned, PlanChanged, Provisioned, SignedOn};
use crate::requests::{Deprovision, PlanChange, PlanWarning, Provision, SignOn};

/// The vendor's side of every marketplace: four methods, written as plain `async fn`.
///
/// Marketplaces deliver at least once, and a caller who hung up comes back: each method may run again with the same
/// request, also at the same time, and must end in the same state. `provision` is create-or-get by
/// [`request.resource`](Provision::resource) under a unique constraint. A call outlives its request: it goes on
/// when the caller hangs up, and when the answer budget of the [`Addon`](crate::Addon) has passed.
///
/// Any error that `?` meets becomes [`Failure::unavailable`](crate::Failure::unavailable), answered with 503; so does
/// a panic.
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
///             other => Err(Failure::refused(format!("There is no plan named {other}."))),
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
    /// A customer installed the add-on. Heroku and cloudControl: `POST /resources`; Opperator: `POST /instances`.
    ///
    /// Answer within a few seconds. The reply names the resource for all later calls and gives the config vars.
    fn provision(&self, request: Provision) -> impl Future<Output = Result<Provisioned>> + Send;

    /// The customer chose another plan: `PUT` on the resource.
    ///
    /// The plan that the resource already has is a success that changes nothing: the marketplace may have missed the
    /// first answer.
    fn plan_change(&self, request: PlanChange) -> impl Future<Output = Result<PlanChanged>> + Send;

    /// The customer removed the add-on: `DELETE` on the resource.
    ///
    /// It is legal from every state and needs neither a token nor a known plan. Removed before:
    /// [`Failure::gone`](crate::Failure::gone); never there: [`Failure::unknown`](crate::Failure::unknown).
    fn deprovision(&self, request: Deprovision) -> impl Future<Output = Result<Deprovisioned>> + Send;

    /// A person came from the marketplace, and the token was right.
    ///
    /// Never create a resource here. An unknown one is [`Failure::unknown`](crate::Failure::unknown), a page with 404.
    fn single_sign_on(&self, request: SignOn) -> impl Future<Output = Result<SignedOn>> + Send;

    /// The marketplace says that a customer nears a limit of the plan; only Opperator sends it. Does nothing by itself.
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
