//! Hooks around the calls of a listener.

use std::future::{Future, ready};

use crate::account::{AccountNotice, CloseAccount, OpenAccount};
use crate::capabilities::Capabilities;
use crate::failure::{Failure, Result};
use crate::ids::{AccountId, AddonId, ResourceId};
use crate::listener::{Listener, with_listener_methods};
use crate::replies::{Bound, Deprovisioned, PlanChanged, Provisioned, Rotated, SignedOn, Unbound, Updated};
use crate::requests::{Bind, Deprovision, Notice, PlanChange, Provision, Reinstate, Rotate, Suspend, Unbind, Update};
use crate::sign_on::SignOn;

/// The call of a listener that a hook is for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListenerCall {
    /// The method of [`Listener`], such as `provision`.
    pub method: &'static str,
    /// The add-on.
    pub addon: AddonId,
    /// The resource. `None` for an account.
    pub resource: Option<ResourceId>,
    /// The account, of a call about an account.
    pub account: Option<AccountId>,
}

/// Request whose call has hooks.
trait HookedRequest {
    fn call(&self, method: &'static str) -> ListenerCall;
}

macro_rules! about_resources {
    ($($request:ty),*) => {
        $(impl HookedRequest for $request {
            fn call(&self, method: &'static str) -> ListenerCall {
                ListenerCall { method, addon: self.addon.clone(), resource: Some(self.resource.clone()), account: None }
            }
        })*
    };
}

macro_rules! about_accounts {
    ($($request:ty),*) => {
        $(impl HookedRequest for $request {
            fn call(&self, method: &'static str) -> ListenerCall {
                ListenerCall { method, addon: self.addon.clone(), resource: None, account: Some(self.account.clone()) }
            }
        })*
    };
}

about_resources!(Provision, PlanChange, Deprovision, SignOn, Bind, Unbind, Update, Suspend, Reinstate, Rotate, Notice);
about_accounts!(OpenAccount, CloseAccount, AccountNotice);

/// Hooks around every call of a listener: [`before`](Self::before) it, and [`after`](Self::after) a success or
/// [`on_failure`](Self::on_failure). Each has a default that does nothing. [`WithHooks`] adds them to a listener.
///
/// They run within the call: behind a ledger under its lease, once for each call of the listener, and not for replays. A call
/// that panics or is stopped has no `after` and no `on_failure`.
///
/// ```
/// use std::sync::Mutex;
/// use maitre_core::{AddonId, Failure, Hooks, Listener, ListenerCall, Provision, Result, WithHooks};
/// # use maitre_core::{Deprovision, Deprovisioned, PlanChange, PlanChanged, Provisioned, SignOn, SignedOn};
/// # struct Widgets;
/// # impl Listener for Widgets {
/// #     async fn provision(&self, request: Provision) -> Result<Provisioned> {
/// #         if request.plan == "gold" { Err(Failure::refused("The plan gold does not exist.")) } else { Ok(Provisioned::new(request.resource)) }
/// #     }
/// #     async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> { Ok(PlanChanged::new()) }
/// #     async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> { Ok(Deprovisioned::new()) }
/// #     async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> { Ok(SignedOn::redirect("/")) }
/// # }
///
/// /// An audit log, and a switch for maintenance.
/// #[derive(Default)]
/// struct Audit(Mutex<Vec<String>>);
///
/// impl Hooks for Audit {
///     async fn before(&self, call: &ListenerCall) -> Result<()> {
///         match call.resource.as_ref().map(|resource| resource.as_str()) {
///             Some("moving") => Err(Failure::unavailable("the resource is being moved")),
///             _ => Ok(()),
///         }
///     }
///     async fn after(&self, call: &ListenerCall) {
///         self.0.lock().unwrap().push(format!("{} completed", call.method));
///     }
///     async fn on_failure(&self, call: &ListenerCall, failure: &Failure) {
///         self.0.lock().unwrap().push(format!("{} {failure}", call.method));
///     }
/// }
///
/// # let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
/// # let mut call = |listener: &WithHooks<Widgets, Audit>, resource: &str, plan: &str| {
/// #     let call = listener.provision(Provision::new(AddonId::new("heroku", "widgets"), resource, plan));
/// #     let std::task::Poll::Ready(reply) = std::pin::pin!(call).poll(&mut cx) else { panic!() };
/// #     reply
/// # };
/// let listener = WithHooks::new(Widgets, Audit::default());
/// call(&listener, "one", "basic").unwrap();
/// call(&listener, "two", "gold").unwrap_err();
/// call(&listener, "moving", "basic").unwrap_err();
/// assert_eq!(*listener.hooks().0.lock().unwrap(), [
///     "provision completed",
///     "provision refused: The plan gold does not exist.",
///     "provision unavailable: the resource is being moved",
/// ]);
/// ```
pub trait Hooks: Send + Sync + 'static {
    /// Runs before the listener. An error is the answer, and the listener is not called.
    fn before(&self, call: &ListenerCall) -> impl Future<Output = Result<()>> + Send {
        let _ = call;
        ready(Ok(()))
    }

    /// Runs after the listener has completed the call.
    fn after(&self, call: &ListenerCall) -> impl Future<Output = ()> + Send {
        let _ = call;
        ready(())
    }

    /// Runs after the listener, or [`before`](Self::before), has failed or refused the call.
    fn on_failure(&self, call: &ListenerCall, failure: &Failure) -> impl Future<Output = ()> + Send {
        let _ = (call, failure);
        ready(())
    }
}

/// A listener with [`Hooks`] around its calls. It is a listener itself.
#[derive(Debug, Clone)]
pub struct WithHooks<L, H> {
    listener: L,
    hooks: H,
}

impl<L: Listener, H: Hooks> WithHooks<L, H> {
    /// Adds hooks to a listener.
    pub fn new(listener: L, hooks: H) -> Self {
        Self { listener, hooks }
    }

    /// Returns the listener.
    pub fn listener(&self) -> &L {
        &self.listener
    }

    /// Returns the hooks.
    pub fn hooks(&self) -> &H {
        &self.hooks
    }

    async fn run<T>(&self, call: ListenerCall, reply: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let result = match self.hooks.before(&call).await {
            Ok(()) => reply.await,
            Err(failure) => Err(failure),
        };
        match &result {
            Ok(_) => self.hooks.after(&call).await,
            Err(failure) => self.hooks.on_failure(&call, failure).await,
        }
        result
    }
}

/// Implements `Listener` for a listener with hooks.
macro_rules! run_hooks {
    ($($method:ident($request:ty) -> $reply:ty;)*) => {
        impl<L: Listener, H: Hooks> Listener for WithHooks<L, H> {
            $(async fn $method(&self, request: $request) -> Result<$reply> {
                self.run(request.call(stringify!($method)), self.listener.$method(request)).await
            })*

            fn capabilities(&self) -> Capabilities {
                self.listener.capabilities()
            }
        }
    };
}

with_listener_methods!(run_hooks);
