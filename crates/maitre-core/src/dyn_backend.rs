//! Object-safe twin of [`Backend`].

use crate::account::{Account, AccountNotice, CloseAccount, FetchAccount, OpenAccount};
use crate::backend::{Backend, WorkItem};
use crate::capabilities::Capabilities;
use crate::failure::Result;
use crate::future::BoxFuture;
use crate::operation::{OperationStatus, Outcome};
use crate::replies::{
    Bound, Deprovisioned, PlanChanged, Provisioned, ResourceDetails, Rotated, SignedOn, Unbound, Updated,
};
use crate::requests::{
    Bind, Deprovision, Fetch, FetchBinding, LastOperation, Notice, PlanChange, Provision, Reinstate, Rotate, Suspend,
    Unbind, Update,
};
use crate::sign_on::SignOn;
use crate::store::ResourceSummary;

/// Calls a macro with every asynchronous method of [`Backend`].
macro_rules! with_backend_methods {
    ($callback:ident) => {
        $callback! {
            provision(Provision) -> Outcome<Provisioned>;
            plan_change(PlanChange) -> Outcome<PlanChanged>;
            update(Update) -> Outcome<Updated>;
            deprovision(Deprovision) -> Outcome<Deprovisioned>;
            bind(Bind) -> Outcome<Bound>;
            unbind(Unbind) -> Outcome<Unbound>;
            rotate(Rotate) -> Outcome<Rotated>;
            suspend(Suspend) -> ();
            reinstate(Reinstate) -> ();
            notice(Notice) -> ();
            single_sign_on(SignOn) -> SignedOn;
            last_operation(LastOperation) -> OperationStatus;
            fetch(Fetch) -> ResourceDetails;
            fetch_binding(FetchBinding) -> Bound;
            open_account(OpenAccount) -> Account;
            close_account(CloseAccount) -> Account;
            account_notice(AccountNotice) -> ();
            fetch_account(FetchAccount) -> Account;
            account_resources(FetchAccount) -> Vec<ResourceSummary>;
            resume(WorkItem) -> ();
        }
    };
}

pub(crate) use with_backend_methods;

macro_rules! object_safe_twin {
    ($($method:ident($request:ty) -> $reply:ty;)*) => {
        /// Object-safe twin of [`Backend`]: boxes one future per call, so that vendors write plain `async fn`.
        pub(crate) trait DynBackend: Send + Sync + 'static {
            $(fn $method(&self, request: $request) -> BoxFuture<'_, Result<$reply>>;)*
            fn check_health(&self) -> BoxFuture<'_, Result<()>>;
            fn capabilities(&self) -> Capabilities;
        }

        impl<B: Backend> DynBackend for B {
            $(fn $method(&self, request: $request) -> BoxFuture<'_, Result<$reply>> {
                Box::pin(Backend::$method(self, request))
            })*

            fn check_health(&self) -> BoxFuture<'_, Result<()>> {
                Box::pin(Backend::check_health(self))
            }

            fn capabilities(&self) -> Capabilities {
                Backend::capabilities(self)
            }
        }
    };
}

with_backend_methods!(object_safe_twin);
