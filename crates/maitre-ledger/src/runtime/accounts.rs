//! Accounts: opened, updated and closed with the deprovisions of their resources.

use maitre_core::{
    Account, Backend, CloseAccount, Deprovision, Failure, FailureKind, FetchAccount, Listener, OpenAccount,
    ResourceSummary, Result, SpawnOnDrop,
};
use tokio::task::JoinSet;

use super::execute::failure;
use super::listener::DurableListener;
use super::spawn::spawn_on_drop;
use crate::engine::{BeginClose, FinishClose, Open, ReadAccount, ReadAccountResources};

/// Deprovisions of one account that run concurrently.
const CONCURRENT: usize = 8;

impl<L: Listener> DurableListener<L> {
    /// Records the account, then calls the listener. A repeated request does both again.
    pub(super) async fn open_and_call(&self, request: OpenAccount) -> Result<Account> {
        let account = self.ledger.db.write(Open(request.clone())).await?.map_err(failure)?;
        Listener::open_account(&*self.listener, request).await?;
        Ok(account)
    }

    /// Closes an account. Once it has begun, it runs to completion even if the caller disconnects.
    pub(super) fn close(&self, request: CloseAccount) -> SpawnOnDrop<Result<Account>> {
        let this = self.clone();
        spawn_on_drop(async move {
            let db = &this.ledger.db;
            let closing = db.write(BeginClose(request.clone())).await?.ok_or_else(Failure::unknown)?;
            this.deprovision_all(&request, closing.resources).await?;
            if closing.is_new {
                Listener::close_account(&*this.listener, request.clone()).await?;
            }
            db.write(FinishClose(request)).await?.ok_or_else(Failure::unknown)
        })
    }

    /// Runs the recorded deprovisions of an account's resources. A worker continues those that fail.
    async fn deprovision_all(&self, request: &CloseAccount, resources: Vec<String>) -> Result<()> {
        let (mut running, mut result) = (JoinSet::new(), Ok(()));
        for resource in resources {
            if running.len() >= CONCURRENT {
                collect(running.join_next().await, &mut result);
            }
            let (this, request) = (self.clone(), Deprovision::new(request.addon.clone(), resource));
            running.spawn(async move { Backend::deprovision(&this, request).await.map(drop) });
        }
        while let Some(ended) = running.join_next().await {
            collect(Some(ended), &mut result);
        }
        result
    }

    pub(super) async fn read_account(&self, request: FetchAccount) -> Result<Account> {
        let command = ReadAccount { addon: request.addon.to_string(), account: request.account.to_string() };
        self.ledger.db.read(command).await?.ok_or_else(Failure::unknown)
    }

    pub(super) async fn read_account_resources(&self, request: FetchAccount) -> Result<Vec<ResourceSummary>> {
        let command = ReadAccountResources { addon: request.addon.to_string(), account: request.account.to_string() };
        self.ledger.db.read(command).await?.ok_or_else(Failure::unknown)
    }
}

/// Keeps the first failure of a deprovision. A resource that another request has deprovisioned is not one.
fn collect(ended: Option<std::result::Result<Result<()>, tokio::task::JoinError>>, result: &mut Result<()>) {
    let failure = match ended {
        None | Some(Ok(Ok(()))) => return,
        Some(Ok(Err(failure))) if matches!(failure.kind(), FailureKind::Gone | FailureKind::Unknown) => return,
        Some(Ok(Err(failure))) => failure,
        Some(Err(error)) => error.into(),
    };
    if result.is_ok() {
        *result = Err(failure);
    }
}
