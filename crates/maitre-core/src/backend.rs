//! The interface that routers call: a [`Listener`], or a ledger around one.

use std::future::{Future, ready};

use crate::account::{Account, AccountNotice, AccountState, CloseAccount, FetchAccount, OpenAccount};
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
use crate::store::ResourceSummary;

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

    /// Opens or updates an account; see [`Listener::open_account`].
    fn open_account(&self, request: OpenAccount) -> impl Future<Output = Result<Account>> + Send;

    /// Closes an account, and deprovisions its resources; see [`Listener::close_account`]. Without a ledger its resources
    /// are not known.
    fn close_account(&self, request: CloseAccount) -> impl Future<Output = Result<Account>> + Send;

    /// Handles a notification about an account; see [`Listener::account_notice`]. A ledger records it and returns; the
    /// listener is called in the background, and again after a failure.
    fn account_notice(&self, notice: AccountNotice) -> impl Future<Output = Result<()>> + Send;

    /// Returns the record of an account. Only a ledger has one; the default answers
    /// [`Failure::unknown`](crate::Failure::unknown).
    fn fetch_account(&self, request: FetchAccount) -> impl Future<Output = Result<Account>> + Send {
        drop(request);
        ready(Err(Failure::unknown()))
    }

    /// Returns the resources of an account that are not deprovisioned. Only a ledger knows them; the default answers
    /// [`Failure::unknown`](crate::Failure::unknown).
    fn account_resources(&self, request: FetchAccount) -> impl Future<Output = Result<Vec<ResourceSummary>>> + Send {
        drop(request);
        ready(Err(Failure::unknown()))
    }

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

    /// Checks that the backend can answer, for health checks of a marketplace. Only a ledger has anything to check; the
    /// default succeeds.
    fn check_health(&self) -> impl Future<Output = Result<()>> + Send {
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

            async fn open_account(&self, request: OpenAccount) -> Result<Account> {
                let account = request.account.clone();
                Listener::open_account(self, request).await?;
                Ok(Account::new(account, AccountState::Active))
            }

            async fn close_account(&self, request: CloseAccount) -> Result<Account> {
                let (account, finalizing) = (request.account.clone(), request.finalizing);
                Listener::close_account(self, request).await?;
                let state = if finalizing { AccountState::Finalizing } else { AccountState::Gone };
                Ok(Account::new(account, state))
            }

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
        account_notice(AccountNotice) -> ();
        single_sign_on(SignOn) -> SignedOn;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::addon::Addon;
    use crate::capabilities::Capability;
    use crate::credentials::Credentials;
    use crate::doctest::{Bazaar, Widgets};
    use crate::failure::FailureKind;
    use crate::ids::AddonId;
    use crate::requests::NoticeKind;

    fn answer<T>(call: impl Future<Output = T>) -> T {
        match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("a default waits for nothing"),
        }
    }

    fn id() -> AddonId {
        AddonId::new("bazaar", "lantern")
    }

    fn widgets() -> Addon<Bazaar> {
        Addon::new(Bazaar(Credentials::new("lantern", "p", "s").unwrap()), Widgets)
    }

    /// Listener with a capability.
    struct Rotating;

    impl Listener for Rotating {
        async fn provision(&self, request: Provision) -> Result<Provisioned> {
            Listener::provision(&Widgets, request).await
        }
        async fn plan_change(&self, request: PlanChange) -> Result<PlanChanged> {
            Listener::plan_change(&Widgets, request).await
        }
        async fn deprovision(&self, request: Deprovision) -> Result<Deprovisioned> {
            Listener::deprovision(&Widgets, request).await
        }
        async fn single_sign_on(&self, request: SignOn) -> Result<SignedOn> {
            Listener::single_sign_on(&Widgets, request).await
        }
        async fn rotate(&self, _: Rotate) -> Result<Rotated> {
            Ok(Rotated::new().with_message("Rotated."))
        }
        fn capabilities(&self) -> Capabilities {
            [Capability::Rotate].into()
        }
    }

    #[test]
    fn bindings_share_the_config_vars_by_default() {
        let mut request = Bind::new(id(), "i-1", "b-1");
        request.config = Some([("LANTERN_KEY", "k-1")].into_iter().collect());
        let bound = answer(widgets().bind(request)).unwrap().done().unwrap();
        assert_eq!(bound.credentials().text("LANTERN_KEY"), Some("k-1"));
        let unknown = answer(widgets().bind(Bind::new(id(), "i-1", "b-1"))).unwrap_err();
        assert_eq!(unknown.kind(), FailureKind::Unavailable, "the config vars are not known");
        assert!(answer(widgets().unbind(Unbind::new(id(), "i-1", "b-1"))).is_ok());
    }

    #[test]
    fn updates_and_rotations_are_refused_and_notices_acknowledged_by_default() {
        let refused = [
            answer(widgets().update(Update::new(id(), "i-1"))).map(drop).unwrap_err(),
            answer(widgets().rotate(Rotate::new(id(), "i-1"))).map(drop).unwrap_err(),
        ];
        for failure in refused {
            assert_eq!(failure.kind(), FailureKind::Refused);
            assert!(failure.message().is_some_and(|message| message.ends_with('.')));
        }
        assert!(answer(widgets().suspend(Suspend::new(id(), "i-1"))).is_ok());
        assert!(answer(widgets().reinstate(Reinstate::new(id(), "i-1"))).is_ok());
        assert!(answer(widgets().notice(Notice::new(id(), "i-1", NoticeKind::Renamed))).is_ok());
    }

    #[test]
    fn a_listener_has_no_records() {
        let kinds = [
            answer(widgets().last_operation(LastOperation::new(id(), "i-1"))).map(drop).unwrap_err().kind(),
            answer(widgets().fetch(Fetch::new(id(), "i-1"))).map(drop).unwrap_err().kind(),
            answer(widgets().fetch_binding(FetchBinding::new(id(), "i-1", "b-1"))).map(drop).unwrap_err().kind(),
        ];
        assert_eq!(kinds, [FailureKind::Unknown; 3]);
    }

    #[test]
    fn accounts_are_opened_and_closed_without_a_ledger_but_not_recorded() {
        let opened = answer(widgets().open_account(OpenAccount::new(id(), "a-1"))).unwrap();
        assert_eq!((opened.id.as_str(), opened.state), ("a-1", AccountState::Active));
        let mut close = CloseAccount::new(id(), "a-1");
        assert_eq!(answer(widgets().close_account(close.clone())).unwrap().state, AccountState::Gone);
        close.finalizing = true;
        assert_eq!(answer(widgets().close_account(close)).unwrap().state, AccountState::Finalizing);
        let fetch = FetchAccount::new(id(), "a-1");
        assert_eq!(answer(widgets().fetch_account(fetch.clone())).unwrap_err().kind(), FailureKind::Unknown);
        assert_eq!(answer(widgets().account_resources(fetch)).unwrap_err().kind(), FailureKind::Unknown);
    }

    #[test]
    fn optional_methods_and_capabilities_are_forwarded() {
        let addon = Addon::new(Bazaar(Credentials::new("lantern", "p", "s").unwrap()), Arc::new(Rotating));
        let rotated = answer(addon.rotate(Rotate::new(id(), "i-1"))).unwrap().done().unwrap();
        assert_eq!(rotated.message(), Some("Rotated."));
        assert!(Backend::capabilities(&addon).contains(Capability::Rotate));
        assert_eq!(Backend::capabilities(&widgets()), Capabilities::default());
    }
}
