//! Operations on accounts, which have resources.

use maitre_core::{Account, Backend, CloseAccount, OpenAccount, OperationKind, Outcome, ResourceId, Result};

use crate::operation::Operation;

/// A request about an account as an operation of a router, for [`Routes::operation`](crate::Routes::operation). In logs and
/// metrics the account is in place of a resource.
///
/// ```
/// use maitre_axum::{AccountOperation, Operation};
/// use maitre_axum::core::{AddonId, CloseAccount};
///
/// let closure = AccountOperation::from(CloseAccount::new(AddonId::new("fair", "lantern"), "acc-1"));
/// assert_eq!(closure.resource().as_str(), "acc-1");
/// ```
#[derive(Debug, Clone)]
pub struct AccountOperation<Q> {
    request: Q,
    account: ResourceId,
}

impl From<OpenAccount> for AccountOperation<OpenAccount> {
    fn from(request: OpenAccount) -> Self {
        Self { account: request.account.as_str().into(), request }
    }
}

impl From<CloseAccount> for AccountOperation<CloseAccount> {
    fn from(request: CloseAccount) -> Self {
        Self { account: request.account.as_str().into(), request }
    }
}

impl Operation for AccountOperation<OpenAccount> {
    const NAME: &'static str = "open_account";
    type Reply = Account;

    fn kind(&self) -> OperationKind {
        OperationKind::OpenAccount
    }

    fn resource(&self) -> &ResourceId {
        &self.account
    }

    async fn run<B: Backend>(self, backend: &B) -> Result<Outcome<Account>> {
        backend.open_account(self.request).await.map(Outcome::Done)
    }
}

impl Operation for AccountOperation<CloseAccount> {
    const NAME: &'static str = "close_account";
    type Reply = Account;

    fn kind(&self) -> OperationKind {
        OperationKind::CloseAccount
    }

    fn resource(&self) -> &ResourceId {
        &self.account
    }

    async fn run<B: Backend>(self, backend: &B) -> Result<Outcome<Account>> {
        backend.close_account(self.request).await.map(Outcome::Done)
    }
}
