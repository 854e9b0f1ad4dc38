//! Accounts: opened, updated and closed with the deprovisions of their resources.

use maitre_core::{
    Account, AccountId, AccountNotice, AddonId, Backend, CloseAccount, Deprovision, Failure, FailureKind, FetchAccount,
    Job, Listener, OpenAccount, ResourceId, ResourceSummary, Result, SpawnOnDrop, TraceParent,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::task::JoinSet;

use super::execute::failure;
use super::listener::DurableListener;
use super::spawn::spawn_on_drop;
use crate::engine::{
    BeginClose, EnqueueJob, FinishClose, JobRef, Open, ReadAccount, ReadAccountKey, ReadAccountResources,
};

/// Kind of the jobs of notifications about accounts, which the ledger itself runs.
pub(super) const NOTICE_JOB: &str = "account_notice";

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
        let begin = BeginClose { request: request.clone(), trace: TraceParent::current() };
        spawn_on_drop(async move {
            let db = &this.ledger.db;
            let closing = db.write(begin).await?.ok_or_else(Failure::unknown)?;
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

    /// Fails unless the resource belongs to the account of the request, if that has one.
    pub(super) async fn check_account(
        &self,
        addon: &AddonId,
        resource: &ResourceId,
        account: Option<&AccountId>,
    ) -> Result<()> {
        let Some(account) = account else { return Ok(()) };
        let command = ReadAccountKey { addon: addon.to_string(), resource: resource.to_string() };
        let owner = self.ledger.db.read(command).await?;
        if owner.as_deref() == Some(account.as_str()) { Ok(()) } else { Err(Failure::unknown()) }
    }

    /// Records a notification as a job, once per delivery, and runs it in a task.
    pub(super) async fn record_notice(&self, notice: AccountNotice) -> Result<()> {
        let addon = notice.addon.to_string();
        let name = notice.id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let job = Job::new(NOTICE_JOB, name, serde_json::to_vec(&StoredNotice::from(notice))?);
        let job_ref = JobRef::Name { addon: addon.clone(), kind: job.kind.clone(), name: job.name.clone() };
        if self.ledger.db.write(EnqueueJob { addon, job }).await? {
            self.spawn_job(job_ref);
        }
        Ok(())
    }

    /// Passes a recorded notification to the listener, after the account was closed if it says so.
    pub(super) async fn run_notice(&self, addon: AddonId, job: &Job) -> Result<()> {
        let notice = serde_json::from_slice::<StoredNotice>(&job.payload)?.restore(addon, &job.name);
        if notice.closes {
            let closed = self.close(CloseAccount::new(notice.addon.clone(), notice.account.clone())).await;
            match closed {
                Err(failure) if failure.kind() != FailureKind::Unknown => return Err(failure),
                _ => {}
            }
        }
        Listener::account_notice(&*self.listener, notice).await
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

/// Notification as it is stored, encrypted.
#[derive(Serialize, Deserialize)]
struct StoredNotice {
    account: String,
    resource: Option<String>,
    kind: String,
    closes: bool,
    details: Map<String, Value>,
}

impl From<AccountNotice> for StoredNotice {
    fn from(notice: AccountNotice) -> Self {
        Self {
            account: notice.account.to_string(),
            resource: notice.resource.map(|resource| resource.to_string()),
            kind: notice.kind,
            closes: notice.closes,
            details: notice.details.as_map().clone(),
        }
    }
}

impl StoredNotice {
    fn restore(self, addon: AddonId, id: &str) -> AccountNotice {
        let mut notice = AccountNotice::new(addon, self.account, self.kind);
        (notice.id, notice.closes, notice.details) = (Some(id.to_owned()), self.closes, self.details.into());
        notice.resource = self.resource.map(Into::into);
        notice
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
