//! The trait that a vendor implements.

use std::future::{Future, ready};
use std::sync::Arc;

use crate::account::{AccountNotice, CloseAccount, OpenAccount};
use crate::capabilities::Capabilities;
use crate::failure::{Failure, Result};
use crate::replies::{Bound, Deprovisioned, PlanChanged, Provisioned, Rotated, SignedOn, Unbound, Updated};
use crate::requests::{Bind, Deprovision, Notice, PlanChange, Provision, Reinstate, Rotate, Suspend, Unbind, Update};
use crate::sign_on::SignOn;

/// The trait that a vendor implements: four methods, written as plain `async fn`, and optional ones for marketplaces that
/// have bindings, updates, suspension, rotation or notifications.
///
/// Marketplaces deliver at least once and retry after a timeout: each method may run again with the same request, also
/// concurrently, and must end in the same state. `provision` is create-or-get by
/// [`request.resource`](Provision::resource) under a unique constraint. A call outlives its request: it continues when
/// the caller disconnects, and when the answer budget of the [`Addon`](crate::Addon) has passed.
///
/// Each optional method has a default that is a correct answer. [`capabilities`](Self::capabilities) declares the optional
/// methods that a marketplace may only use if the vendor has implemented them.
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
    ///
    /// With a ledger, a provision or plan change that is still running is stopped before: its future is dropped at its
    /// next `await`. If its process is paused, it cannot be stopped and may write later, with a lower
    /// [fencing token](crate::Context::fence).
    fn deprovision(&self, request: Deprovision) -> impl Future<Output = Result<Deprovisioned>> + Send;

    /// Signs in a user who came from the marketplace with a valid token.
    ///
    /// Never create a resource here. For an unknown one return [`Failure::unknown`](crate::Failure::unknown), which is
    /// answered with a 404 page.
    fn single_sign_on(&self, request: SignOn) -> impl Future<Output = Result<SignedOn>> + Send;

    /// Creates the credentials of one app. Create-or-get by [`request.binding`](Bind::binding).
    ///
    /// The default answers the resource's config vars, which all bindings then share. It needs a ledger, which keeps
    /// them. Declare [`Capability::Bind`](crate::Capability::Bind) with credentials of your own.
    fn bind(&self, request: Bind) -> impl Future<Output = Result<Bound>> + Send {
        let bound = request.config.as_ref().map(Bound::from);
        ready(bound.ok_or_else(|| {
            Failure::unavailable("the config vars of the resource are not known: use a ledger, or implement `bind`")
        }))
    }

    /// Removes the credentials of one app. The default has nothing to remove.
    fn unbind(&self, request: Unbind) -> impl Future<Output = Result<Unbound>> + Send {
        drop(request);
        ready(Ok(Unbound::new()))
    }

    /// Changes parameters of a resource without a plan change. The default refuses.
    ///
    /// Declare [`Capability::Update`](crate::Capability::Update) with an implementation.
    fn update(&self, request: Update) -> impl Future<Output = Result<Updated>> + Send {
        drop(request);
        ready(Err(Failure::refused("This add-on has no parameters that can be changed.")))
    }

    /// Suspends a resource: the customer may not use it, but its data is kept. May be repeated. The default logs it.
    fn suspend(&self, request: Suspend) -> impl Future<Output = Result<()>> + Send {
        tracing::info!(addon = %request.addon, resource = %request.resource, "suspended: the listener does not handle it");
        ready(Ok(()))
    }

    /// Reinstates a suspended resource. May be repeated. The default logs it.
    fn reinstate(&self, request: Reinstate) -> impl Future<Output = Result<()>> + Send {
        tracing::info!(addon = %request.addon, resource = %request.resource, "reinstated: the listener does not handle it");
        ready(Ok(()))
    }

    /// Replaces the credentials of a resource. The default refuses.
    ///
    /// Declare [`Capability::Rotate`](crate::Capability::Rotate) with an implementation.
    fn rotate(&self, request: Rotate) -> impl Future<Output = Result<Rotated>> + Send {
        drop(request);
        ready(Err(Failure::refused("This add-on cannot replace its credentials.")))
    }

    /// Handles a notification. The default logs its subject.
    fn notice(&self, notice: Notice) -> impl Future<Output = Result<()>> + Send {
        let kind = notice.kind.as_str();
        tracing::info!(addon = %notice.addon, resource = %notice.resource, kind, "notice: the listener does not handle it");
        ready(Ok(()))
    }

    /// Creates or updates the customer's account at the vendor, at marketplaces that have accounts above resources. May be
    /// repeated, with new details. The default logs it.
    fn open_account(&self, request: OpenAccount) -> impl Future<Output = Result<()>> + Send {
        tracing::info!(addon = %request.addon, account = %request.account, "account opened: the listener does not handle it");
        ready(Ok(()))
    }

    /// Closes the customer's account at the vendor, after its resources were deprovisioned. May be repeated, and may be
    /// called for an account that was never opened. The default logs it.
    fn close_account(&self, request: CloseAccount) -> impl Future<Output = Result<()>> + Send {
        tracing::info!(addon = %request.addon, account = %request.account, "account closed: the listener does not handle it");
        ready(Ok(()))
    }

    /// Handles a notification about an account. The default logs its subject.
    fn account_notice(&self, notice: AccountNotice) -> impl Future<Output = Result<()>> + Send {
        let AccountNotice { addon, account, kind, .. } = &notice;
        tracing::info!(%addon, %account, kind, "account notice: the listener does not handle it");
        ready(Ok(()))
    }

    /// Returns the optional methods that a marketplace may use. Defaults to none. The result must not change.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
}

/// Calls a macro with every asynchronous method of [`Listener`].
macro_rules! with_listener_methods {
    ($callback:ident) => {
        $callback! {
            provision(Provision) -> Provisioned;
            plan_change(PlanChange) -> PlanChanged;
            deprovision(Deprovision) -> Deprovisioned;
            single_sign_on(SignOn) -> SignedOn;
            bind(Bind) -> Bound;
            unbind(Unbind) -> Unbound;
            update(Update) -> Updated;
            suspend(Suspend) -> ();
            reinstate(Reinstate) -> ();
            rotate(Rotate) -> Rotated;
            notice(Notice) -> ();
            open_account(OpenAccount) -> ();
            close_account(CloseAccount) -> ();
            account_notice(AccountNotice) -> ();
        }
    };
}

pub(crate) use with_listener_methods;

/// Implements `Listener` for a pointer.
macro_rules! forward {
    ($($method:ident($request:ty) -> $reply:ty;)*) => {
        impl<L: Listener> Listener for Arc<L> {
            $(fn $method(&self, request: $request) -> impl Future<Output = Result<$reply>> + Send {
                L::$method(self, request)
            })*

            fn capabilities(&self) -> Capabilities {
                L::capabilities(self)
            }
        }
    };
}

with_listener_methods!(forward);
