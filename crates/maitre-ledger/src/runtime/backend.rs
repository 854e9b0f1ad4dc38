//! `Backend` of a `DurableListener`: records every operation before it calls the vendor's listener.

use std::sync::{Arc, OnceLock};

use maitre_core::sso::TokenKind;
use maitre_core::{
    Account, AccountNotice, Backend, Bind, Bound, Capabilities, Capability, CloseAccount, Deprovision, Deprovisioned,
    Failure, Fetch, FetchAccount, FetchBinding, LastOperation, Listener, Notice, OpenAccount, OperationStatus, Outcome,
    PlanChange, PlanChanged, Provision, Provisioned, Reinstate, ResourceDetails, ResourceId, ResourceSummary, Result,
    Rotate, Rotated, SignOn, SignedOn, Suspend, Unbind, Unbound, Update, Updated, WorkItem,
};
use sha2::{Digest, Sha256};

use super::details::details;
use super::execute::{Step, failure};
use super::listener::DurableListener;
use super::operation::{Operation, restore_reply};
use crate::engine::{
    BeginBind, BeginChange, BeginDeprovision, BeginProvision, BeginUnbind, Claim, ClaimOutcome, Decision, Find, JobRef,
    Lease, MarkTokenUsed, OperationKind, ReadBinding, ReadLastOperation, ReadRecord, SESSION_RESOURCE, SetSuspended,
    State, StoredRequest, key_of, request_hash, rules,
};
use crate::metrics;

impl<L: Listener> DurableListener<L> {
    async fn execute_recorded<O: Operation>(&self, lease: Lease, request: StoredRequest) -> Result<()> {
        self.execute(Step::<O>::run_recorded(lease, request)?, None, false).await.map(drop)
    }

    /// Returns the key of a resource by any of its ids, or the id itself if the ledger has never seen it.
    async fn key(&self, addon: &str, id: ResourceId) -> Result<ResourceId> {
        let resource = self.ledger.db.read(Find { addon: addon.to_owned(), id: id.to_string() }).await?;
        match resource {
            Some(resource) if resource.state == State::Deprovisioned => Err(Failure::gone()),
            Some(resource) => Ok(resource.key.into()),
            None => Ok(id),
        }
    }
}

impl<L: Listener> Backend for DurableListener<L> {
    async fn provision(&self, request: Provision) -> Result<Outcome<Provisioned>> {
        if request.context.reuses_key {
            self.cancel_scheduled(&request).await?;
        }
        let addon = request.addon.to_string();
        let job = self.platform.as_ref().and_then(|platform| platform.provision_job(&request));
        let request = Arc::new(request);
        let job_ref = job.as_ref().map(|job| JobRef::Name {
            addon: addon.clone(),
            kind: job.kind.clone(),
            name: job.name.clone(),
        });
        let command = BeginProvision {
            addon: addon.clone(),
            key: key_of(request.resource.as_str()).into_owned(),
            plan: request.plan.clone(),
            request_hash: request_hash(&request.identity()),
            request: request.clone(),
            reuse: self.reuses_keys || request.context.reuses_key,
            job,
            sealed: OnceLock::new(),
        };
        self.begin(addon, command, request, job_ref).await
    }

    async fn plan_change(&self, request: PlanChange) -> Result<Outcome<PlanChanged>> {
        self.check_account(&request.addon, &request.resource, request.account.as_ref()).await?;
        let addon = request.addon.to_string();
        let command = BeginChange {
            addon: addon.clone(),
            id: request.resource.as_str().to_owned(),
            kind: OperationKind::PlanChange,
            plan: Some(request.plan.clone()),
            has_parameters: request.parameters.is_some(),
            request_hash: request_hash(&request.identity()),
            request: serde_json::to_vec(&StoredRequest::from(&request))?,
            request_key: None,
            owner: self.ledger.engine.lease_owner(),
        };
        self.begin(addon, command, request, None).await
    }

    async fn deprovision(&self, request: Deprovision) -> Result<Outcome<Deprovisioned>> {
        self.check_account(&request.addon, &request.resource, request.account.as_ref()).await?;
        if !request.delay.is_zero()
            && let Some(scheduled) = self.schedule(&request).await?
        {
            return Ok(scheduled);
        }
        let addon = request.addon.to_string();
        let command = BeginDeprovision {
            addon: addon.clone(),
            id: request.resource.as_str().to_owned(),
            keyed: request.context.polled, // such a marketplace is never given another id
            trace: request.context.trace.clone(),
            owner: self.ledger.engine.lease_owner(),
        };
        self.begin(addon, command, request, None).await
    }

    /// Signs a user in to a live resource, by the resource's key whatever id the token has, once per token. About a resource
    /// that the ledger has never seen, the listener is asked.
    async fn single_sign_on(&self, mut request: SignOn) -> Result<SignedOn> {
        self.check_account(&request.addon, &request.resource, request.account.as_ref()).await?;
        let addon = request.addon.to_string();
        let id = request.resource.to_string();
        let resource = self.ledger.db.read(Find { addon: addon.clone(), id: id.clone() }).await?;
        let state = resource.as_ref().map(|resource| resource.state);
        if let Decision::Fail(kind) = rules::single_sign_on(state, self.ledger.engine.limits.unknown) {
            metrics::sign_on(&addon, "unknown");
            return Err(failure(kind));
        }
        // a sign-on changes nothing, so a resource that the ledger has never seen stays unrecorded
        request.resource = resource.map_or_else(|| key_of(&id).into_owned(), |resource| resource.key).into();
        if !self.ledger.db.write(mark_used(&addon, &request)).await? {
            metrics::sign_on(&addon, "used_before");
            tracing::warn!(resource = %request.resource, "single sign-on refused: its token was used before");
            return Err(Failure::refused(
                "This sign-in link has expired or was already used. Please open the add-on again from your dashboard.",
            ));
        }
        metrics::sign_on(&addon, "accepted");
        let session_resource = format!("{addon} {}", request.resource);
        let signed_on = Listener::single_sign_on(&*self.listener, request).await?;
        // a session opened for a resource ends with it; see `Sessions`
        let opens_session = !signed_on.session().is_empty();
        Ok(if opens_session { signed_on.with_session(SESSION_RESOURCE, session_resource) } else { signed_on })
    }

    async fn bind(&self, request: Bind) -> Result<Outcome<Bound>> {
        let addon = request.addon.to_string();
        let command = BeginBind {
            addon: addon.clone(),
            resource: request.resource.as_str().to_owned(),
            binding: request.binding.as_str().to_owned(),
            plan: request.plan.clone(),
            request_hash: request_hash(&request.identity()),
            request: serde_json::to_vec(&StoredRequest::from(&request))?,
            reuse: self.reuses_keys,
            owner: self.ledger.engine.lease_owner(),
        };
        self.begin(addon, command, request, None).await
    }

    async fn unbind(&self, request: Unbind) -> Result<Outcome<Unbound>> {
        let addon = request.addon.to_string();
        let command = BeginUnbind {
            addon: addon.clone(),
            resource: request.resource.as_str().to_owned(),
            binding: request.binding.as_str().to_owned(),
            request: serde_json::to_vec(&StoredRequest::from(&request))?,
            separate: Listener::capabilities(&*self.listener).contains(Capability::Bind),
            owner: self.ledger.engine.lease_owner(),
        };
        self.begin(addon, command, request, None).await
    }

    async fn update(&self, request: Update) -> Result<Outcome<Updated>> {
        self.check_account(&request.addon, &request.resource, request.account.as_ref()).await?;
        let addon = request.addon.to_string();
        let command = BeginChange {
            addon: addon.clone(),
            id: request.resource.as_str().to_owned(),
            kind: OperationKind::Update,
            plan: None,
            has_parameters: true,
            request_hash: request_hash(&request.identity()),
            request: serde_json::to_vec(&StoredRequest::from(&request))?,
            request_key: None,
            owner: self.ledger.engine.lease_owner(),
        };
        self.begin(addon, command, request, None).await
    }

    /// A replay and new bindings have the new config vars. A request with the key of an earlier one does not rotate again.
    async fn rotate(&self, request: Rotate) -> Result<Outcome<Rotated>> {
        self.check_account(&request.addon, &request.resource, request.account.as_ref()).await?;
        let addon = request.addon.to_string();
        let key = request.context.idempotency_key.as_deref();
        let command = BeginChange {
            addon: addon.clone(),
            id: request.resource.as_str().to_owned(),
            kind: OperationKind::Rotate,
            plan: None,
            has_parameters: true,
            request_hash: request_hash(&request.identity()),
            request: serde_json::to_vec(&StoredRequest::from(&request))?,
            request_key: key.map(|key| hex::encode(request_hash(key.as_bytes()))),
            owner: self.ledger.engine.lease_owner(),
        };
        self.begin(addon, command, request, None).await
    }

    /// Calls the listener, and records the suspension for reads.
    async fn suspend(&self, mut request: Suspend) -> Result<()> {
        let addon = request.addon.to_string();
        request.resource = self.key(&addon, request.resource).await?;
        let command = SetSuspended { addon, resource: request.resource.to_string(), suspended: true };
        Listener::suspend(&*self.listener, request).await?;
        Ok(self.ledger.db.write(command).await?)
    }

    /// Calls the listener, and records the end of the suspension for reads.
    async fn reinstate(&self, mut request: Reinstate) -> Result<()> {
        let addon = request.addon.to_string();
        request.resource = self.key(&addon, request.resource).await?;
        let command = SetSuspended { addon, resource: request.resource.to_string(), suspended: false };
        Listener::reinstate(&*self.listener, request).await?;
        Ok(self.ledger.db.write(command).await?)
    }

    async fn notice(&self, notice: Notice) -> Result<()> {
        Listener::notice(&*self.listener, notice).await
    }

    async fn open_account(&self, request: OpenAccount) -> Result<Account> {
        self.open_and_call(request).await
    }

    async fn close_account(&self, request: CloseAccount) -> Result<Account> {
        self.close(request).await
    }

    async fn account_notice(&self, notice: AccountNotice) -> Result<()> {
        self.record_notice(notice).await
    }

    async fn fetch_account(&self, request: FetchAccount) -> Result<Account> {
        self.read_account(request).await
    }

    async fn account_resources(&self, request: FetchAccount) -> Result<Vec<ResourceSummary>> {
        self.read_account_resources(request).await
    }

    async fn last_operation(&self, request: LastOperation) -> Result<OperationStatus> {
        let command = ReadLastOperation {
            addon: request.addon.to_string(),
            resource: request.resource.to_string(),
            binding: request.binding.as_ref().map(ToString::to_string),
            operation: request.operation,
        };
        self.ledger.db.read(command).await?.map_err(failure)
    }

    async fn fetch(&self, request: Fetch) -> Result<ResourceDetails> {
        self.check_account(&request.addon, &request.resource, request.account.as_ref()).await?;
        let command = ReadRecord { addon: request.addon.to_string(), resource: request.resource.to_string() };
        self.ledger.db.read(command).await?.map(details).map_err(failure)
    }

    async fn fetch_binding(&self, request: FetchBinding) -> Result<Bound> {
        let command = ReadBinding {
            addon: request.addon.to_string(),
            resource: request.resource.to_string(),
            binding: request.binding.to_string(),
        };
        restore_reply::<Bind>(self.ledger.db.read(command).await?.map_err(failure)?)
    }

    async fn check_health(&self) -> Result<()> {
        self.ledger.check_health().await?;
        Ok(())
    }

    fn capabilities(&self) -> Capabilities {
        Listener::capabilities(&*self.listener)
    }

    /// Runs a job or an operation for a worker, if no process runs it and it is next for its resource.
    async fn resume(&self, item: WorkItem) -> Result<()> {
        let operation = match item {
            WorkItem::Operation(operation) => operation,
            WorkItem::Job(job) => return self.run_job(JobRef::Id(job)).await,
            _ => return Ok(()),
        };
        match self.ledger.db.write(Claim { operation, owner: self.ledger.engine.lease_owner() }).await? {
            ClaimOutcome::Acquired(lease, request) => match lease.kind {
                OperationKind::Provision => self.execute_recorded::<Arc<Provision>>(lease, request).await,
                OperationKind::PlanChange => self.execute_recorded::<PlanChange>(lease, request).await,
                OperationKind::Update => self.execute_recorded::<Update>(lease, request).await,
                OperationKind::Deprovision => self.execute_recorded::<Deprovision>(lease, request).await,
                OperationKind::Bind => self.execute_recorded::<Bind>(lease, request).await,
                OperationKind::Unbind => self.execute_recorded::<Unbind>(lease, request).await,
                OperationKind::Rotate => self.execute_recorded::<Rotate>(lease, request).await,
            },
            ClaimOutcome::Notify(lease, reply) => self.notify(lease, reply).await,
            _ => Ok(()),
        }
    }
}

/// Returns the command that marks the verified token and every weaker token in the same form as used.
///
/// The hashes are computed from what the tokens sign, so a form that was stripped or altered in its unsigned fields has the
/// same hashes.
fn mark_used(addon: &str, request: &SignOn) -> MarkTokenUsed {
    let valid_for = i64::try_from(request.token.replay_window.as_millis()).unwrap_or(i64::MAX / 2);
    if let Some(id) = request.token.id {
        let verified = Sha256::digest(serde_json::to_vec(&(addon, "id", id)).unwrap_or_default()).to_vec();
        return MarkTokenUsed { verified, weaker: Vec::new(), valid_for };
    }
    let hash = |kind: TokenKind| {
        let (user_id, email) = match (kind, &request.identity) {
            (TokenKind::User, identity) => {
                (identity.user_id().unwrap_or_default(), identity.email().unwrap_or_default())
            }
            _ => ("", ""),
        };
        let signed = (addon, request.resource.as_str(), format!("{kind:?}"), request.token.issued_at, user_id, email);
        Sha256::digest(serde_json::to_vec(&signed).unwrap_or_default()).to_vec()
    };
    let weaker = [TokenKind::Resource, TokenKind::Legacy].into_iter().filter(|weaker| *weaker < request.token.kind);
    MarkTokenUsed { verified: hash(request.token.kind), weaker: weaker.map(hash).collect(), valid_for }
}
