//! Begin commands: apply the state rules to a request and record the operation before anything is done.

use std::sync::{Arc, OnceLock};

use maitre_core::{AccountId, FailureKind, Job, Provision, TraceParent};

use super::account::is_open;
use super::context::Engine;
use super::job::EnqueueJob;
use super::operation::{OperationKind, OperationState};
use super::rows::{Lease, Operation, Resource, is_uuid, key_of};
use super::rules::{self, Decision, Repeat, State};
use super::sealed::aad;
use super::stored::StoredRequest;
use super::stored_reply::StoredReply;
use super::transitions::{
    Overtaken, cancel_open, enqueue, insert_unconfirmed, schedule_deprovision, set_state, start, supersede, tombstone,
};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Continuation of a request after its begin command. Only [`Run`](Self::Run) and [`Wait`](Self::Wait) have an open operation.
pub(crate) enum BeginOutcome {
    /// Call the listener under this lease.
    Run(Lease),
    /// Wait for this operation, or claim it when its lease has expired.
    Wait(i64),
    /// Return the reply stored in the resource.
    Replay(Resource),
    /// Return this recorded reply.
    Recorded(Box<StoredReply>),
    /// Succeed without a call: nothing changes.
    Unchanged,
    /// Fail without a call.
    Fail(FailureKind),
    /// Fail without a call: the account of the provision is unknown or closed.
    NoOpenAccount,
}

/// Begins a provision.
pub(crate) struct BeginProvision {
    pub(crate) addon: String,
    pub(crate) key: String,
    pub(crate) plan: String,
    /// Hash of the request, by which a repeated provision is compared.
    pub(crate) request_hash: [u8; 32],
    /// Request to the listener. It is sealed only if it is recorded: a replay needs no encryption.
    pub(crate) request: Arc<Provision>,
    /// Whether the key of a deprovisioned resource may be used again.
    pub(crate) reuse: bool,
    /// Job that cannot wait until the provision has completed.
    pub(crate) job: Option<Job>,
    /// Sealed request. It is unique, so the command recognizes an operation that it has recorded before.
    pub(crate) sealed: OnceLock<Vec<u8>>,
}

impl BeginProvision {
    pub(super) fn sealed_hash(&self, engine: &Engine) -> Vec<u8> {
        engine.keys.seal(&aad(&self.addon, &self.key, "request_hash"), &self.request_hash)
    }

    pub(super) fn sealed_request(&self, engine: &Engine) -> Vec<u8> {
        let seal = || {
            let request = serde_json::to_vec(&StoredRequest::from(&*self.request)).unwrap_or_default();
            engine.seal_request(&self.addon, &self.key, OperationKind::Provision, &request)
        };
        self.sealed.get_or_init(seal).clone()
    }

    pub(super) fn decide(&self, engine: &Engine, resource: &Resource) -> Result<Decision, LedgerError> {
        let same_request = match &resource.request_hash {
            Some(sealed) => engine.open(&aad(&self.addon, &resource.key, "request_hash"), sealed)? == self.request_hash,
            // an adopted resource: its config is known, but not its region and options
            None => resource.reply.is_some() && resource.plan.as_ref() == Some(&self.plan),
        };
        let repeat = match (resource.confirmed, same_request) {
            (false, _) => Repeat::Unconfirmed,
            (true, true) => Repeat::Same,
            (true, false) => Repeat::Different,
        };
        Ok(rules::provision(Some(resource.state), repeat, self.reuse))
    }

    async fn start(
        &self,
        engine: &Engine,
        db: &mut Connection<'_>,
        resource: i64,
        fence: i64,
    ) -> Result<BeginOutcome, LedgerError> {
        let lease = Lease {
            operation: 0, // set when it is recorded
            resource,
            fence,
            addon: self.addon.clone(),
            key: self.key.clone(),
            kind: OperationKind::Provision,
            plan: Some(self.plan.clone()),
            asks: false,
            keyed: true,
            binding: None,
            trace: None, // set when it runs
        };
        start(engine, db, lease, &engine.owner, Some(&self.sealed_request(engine)), None).await.map(BeginOutcome::Run)
    }
}

impl Command<Engine> for BeginProvision {
    type Outcome = BeginOutcome;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<BeginOutcome, LedgerError> {
        let Self { addon, key, plan, job, .. } = self;
        if let Some(job) = job.clone() {
            EnqueueJob { addon: addon.clone(), job }.apply(engine, db).await?;
        }
        let account = self.request.account.as_ref().map(AccountId::as_str);
        let is_closed = match account {
            Some(account) => !is_open(db, addon, account).await?,
            None => false,
        };
        let mut known = Resource::lock_by_key(db, addon, key).await?;
        if known.is_none() {
            if is_closed {
                return Ok(BeginOutcome::NoOpenAccount);
            }
            let insert =
                "INSERT INTO maitre_resources (addon, key, state, plan, request_hash, account, fence, created_at,
                 updated_at) VALUES ($1, $2, 'provisioning', $3, $4, $5, 1, {now}, {now})
                 ON CONFLICT (addon, key) DO NOTHING {returning id}";
            let id = db.insert(insert, values![addon, key, plan, &self.sealed_hash(engine), account]).await?;
            if let Some(id) = id {
                return self.start(engine, db, id, 1).await;
            }
            known = Resource::lock_by_key(db, addon, key).await?; // inserted concurrently by another process
        }
        let Some(resource) = known else { return Ok(BeginOutcome::Fail(FailureKind::Unavailable)) };
        match self.decide(engine, &resource)? {
            Decision::Join => {
                let kind = OperationKind::Provision;
                if let Some(sealed) = self.sealed.get() {
                    let recorded = recorded_before(db, &resource, &engine.owner, Some(sealed)).await?;
                    if let Some(operation) = recorded {
                        let plan = Some(plan.as_str());
                        return Ok(BeginOutcome::Run(Lease { operation, ..lease(resource, kind, plan) }));
                    }
                }
                join(db, &resource, kind, None, None).await
            }
            Decision::Replay => Ok(BeginOutcome::Replay(resource)),
            Decision::Fail(kind) => Ok(BeginOutcome::Fail(kind)),
            Decision::Run if is_closed => Ok(BeginOutcome::NoOpenAccount),
            Decision::Run => {
                supersede(engine, db, &resource).await?;
                let update = "UPDATE maitre_resources SET state = 'provisioning', plan = $2, request_hash = $3,
                     account = $4, reply = NULL, fence = fence + 1, confirmed = TRUE, deprovisioned_at = NULL,
                     provider_id = NULL, updated_at = {now} WHERE id = $1 RETURNING *";
                let row = db.row(update, values![resource.id, plan, &self.sealed_hash(engine), account]).await?;
                let resource = Resource::read(&row)?;
                self.start(engine, db, resource.id, resource.fence).await
            }
            Decision::Ask | Decision::Enqueue | Decision::Unchanged => Ok(BeginOutcome::Fail(FailureKind::Unavailable)),
        }
    }
}

/// Begins a plan change or an update.
pub(crate) struct BeginChange {
    pub(crate) addon: String,
    pub(crate) id: String,
    pub(crate) kind: OperationKind,
    /// Requested plan of a plan change.
    pub(crate) plan: Option<String>,
    /// Whether the request changes parameters.
    pub(crate) has_parameters: bool,
    /// Hash of the request, by which a repeated change is compared while it is open.
    pub(crate) request_hash: [u8; 32],
    pub(crate) request: Vec<u8>,
    /// Hash of the key by which the marketplace marks repetitions, if it sends one.
    pub(crate) request_key: Option<String>,
    /// See [`Engine::lease_owner`].
    pub(crate) owner: String,
}

impl BeginChange {
    fn sealed_hash(&self, engine: &Engine, resource: &Resource) -> Vec<u8> {
        engine.keys.seal(&aad(&resource.addon, &resource.key, "request_hash"), &self.request_hash)
    }

    /// Marks the operation with the key of its request.
    async fn mark(&self, db: &mut Connection<'_>, operation: i64) -> Result<(), LedgerError> {
        let Some(key) = &self.request_key else { return Ok(()) };
        db.execute("UPDATE maitre_operations SET request_key = $2 WHERE id = $1", values![operation, key])
            .await
            .map(drop)
    }

    /// Returns the outcome of the operation with the key of this request, if there is one.
    async fn repeated(
        &self,
        engine: &Engine,
        db: &mut Connection<'_>,
        resource: &Resource,
    ) -> Result<Option<BeginOutcome>, LedgerError> {
        let Some(key) = &self.request_key else { return Ok(None) };
        let Some(known) = Operation::by_request_key(db, resource.id, self.kind, key).await? else { return Ok(None) };
        Ok(Some(match known.state {
            // an open one that this command has recorded, without learning of its commit, is run; any other one is waited for
            OperationState::Open => match recorded_before(db, resource, &self.owner, None).await? {
                Some(operation) => {
                    BeginOutcome::Run(Lease { operation, ..lease(resource.clone(), self.kind, self.plan.as_deref()) })
                }
                None => BeginOutcome::Wait(known.id),
            },
            OperationState::Completed => match known.reply {
                Some(sealed) => {
                    BeginOutcome::Recorded(Box::new(engine.open_reply(&resource.addon, &resource.key, &sealed)?))
                }
                None => BeginOutcome::Fail(FailureKind::Gone), // cleared by a deprovision
            },
            OperationState::Parked => BeginOutcome::Fail(FailureKind::Unavailable),
            OperationState::Cancelled => BeginOutcome::Fail(FailureKind::Gone),
            OperationState::Abandoned => return Ok(None),
        }))
    }

    /// Returns the open changes, and whether this change is one of them, or changes nothing.
    async fn compare(
        &self,
        engine: &Engine,
        db: &mut Connection<'_>,
        resource: &Resource,
    ) -> Result<(Vec<Operation>, bool), LedgerError> {
        let open = Operation::open_changes(db, resource.id).await?;
        let last = open.iter().rev().find(|operation| operation.kind == self.kind);
        let is_same = match last {
            Some(last) if self.has_parameters || self.plan.is_none() => match &last.request_hash {
                Some(sealed) => {
                    engine.open(&aad(&resource.addon, &resource.key, "request_hash"), sealed)? == self.request_hash
                }
                None => false,
            },
            Some(last) => last.plan == self.plan,
            None => self.plan.is_some() && !self.has_parameters && resource.plan == self.plan,
        };
        Ok((open, is_same))
    }
}

impl Command<Engine> for BeginChange {
    type Outcome = BeginOutcome;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<BeginOutcome, LedgerError> {
        let (kind, plan) = (self.kind, self.plan.as_deref());
        let mut known = Resource::lock(db, &self.addon, &self.id).await?;
        if known.is_none() {
            if let Decision::Fail(kind) = rules::plan_change(None, false, engine.limits.unknown) {
                return Ok(BeginOutcome::Fail(kind));
            }
            if let Some(asked) = insert_unconfirmed(db, &self.addon, &self.id, State::ChangingPlan).await? {
                let sealed = engine.seal_request(&asked.addon, &asked.key, kind, &self.request);
                let hash = self.sealed_hash(engine, &asked);
                let lease = lease(asked, kind, plan);
                let lease = start(engine, db, lease, &self.owner, Some(&sealed), Some(&hash)).await?;
                self.mark(db, lease.operation).await?;
                return Ok(BeginOutcome::Run(lease));
            }
            known = Resource::lock(db, &self.addon, &self.id).await?; // inserted concurrently by another process
        }
        let Some(resource) = known else { return Ok(BeginOutcome::Fail(FailureKind::Unavailable)) };
        if let Some(outcome) = self.repeated(engine, db, &resource).await? {
            return Ok(outcome);
        }
        let (open, is_same) = self.compare(engine, db, &resource).await?;
        let is_open = is_same && open.iter().any(|operation| operation.kind == kind);
        let state = match resource.state {
            // also a change that waited for the provision, or that an operator has reopened
            state if state.is_live() && is_open => State::ChangingPlan,
            state if state.is_live() && is_same => State::Provisioned,
            state if state.is_live() && !open.is_empty() => State::ChangingPlan,
            state => state,
        };
        let sealed = || engine.seal_request(&resource.addon, &resource.key, kind, &self.request);
        match rules::plan_change(Some(state), is_same, engine.limits.unknown) {
            Decision::Unchanged => {
                tracing::info!(resource = %resource.key, plan, "plan unchanged: listener not called");
                Ok(BeginOutcome::Unchanged)
            }
            decision @ (Decision::Run | Decision::Enqueue) => {
                let (sealed, hash) = (sealed(), self.sealed_hash(engine, &resource));
                let has_open = decision == Decision::Enqueue || has_open_operations(db, resource.id).await?;
                if !has_open {
                    let resource = set_state(db, &resource, State::ChangingPlan).await?;
                    let lease = lease(resource, kind, plan);
                    let lease = start(engine, db, lease, &self.owner, Some(&sealed), Some(&hash)).await?;
                    self.mark(db, lease.operation).await?;
                    return Ok(BeginOutcome::Run(lease));
                }
                let operation = enqueue(db, &resource, kind, plan, Some(&sealed), Some(&hash), None).await?;
                self.mark(db, operation).await?;
                Ok(BeginOutcome::Wait(operation))
            }
            Decision::Join => match recorded_before(db, &resource, &self.owner, None).await? {
                Some(operation) => Ok(BeginOutcome::Run(Lease { operation, ..lease(resource, kind, plan) })),
                None => join(db, &resource, kind, plan, None).await,
            },
            Decision::Fail(kind) => Ok(BeginOutcome::Fail(kind)),
            Decision::Ask | Decision::Replay => Ok(BeginOutcome::Fail(FailureKind::Unavailable)),
        }
    }
}

/// Begins a deprovision.
pub(crate) struct BeginDeprovision {
    pub(crate) addon: String,
    pub(crate) id: String,
    /// Whether the id is the resource's key for certain: its marketplace knows no other id.
    pub(crate) keyed: bool,
    /// Trace of the request.
    pub(crate) trace: Option<TraceParent>,
    /// See [`Engine::lease_owner`].
    pub(crate) owner: String,
}

impl Command<Engine> for BeginDeprovision {
    type Outcome = BeginOutcome;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<BeginOutcome, LedgerError> {
        let Self { addon, id, keyed, trace, owner } = self;
        let (kind, trace) = (OperationKind::Deprovision, trace.as_ref());
        let mut known = Resource::lock(db, addon, id).await?;
        if known.is_none() {
            if let Decision::Fail(kind) = rules::deprovision(None, engine.limits.unknown) {
                if insert_tombstone(db, addon, id, *keyed).await? {
                    return Ok(BeginOutcome::Fail(kind));
                }
            } else if let Some(asked) = insert_unconfirmed(db, addon, id, State::Deprovisioning).await? {
                let sealed = engine.seal_deprovision(&asked, trace);
                let lease = Lease { keyed: *keyed, ..lease(asked, kind, None) };
                return start(engine, db, lease, owner, sealed.as_deref(), None).await.map(BeginOutcome::Run);
            }
            known = Resource::lock(db, addon, id).await?; // inserted concurrently by another process
        }
        let Some(resource) = known else { return Ok(BeginOutcome::Fail(FailureKind::Unavailable)) };
        match rules::deprovision(Some(resource.state), engine.limits.unknown) {
            Decision::Run => {
                let resource = set_state(db, &resource, State::Deprovisioning).await?;
                let sealed = engine.seal_deprovision(&resource, trace);
                let lease = lease(resource, kind, None);
                start(engine, db, lease, owner, sealed.as_deref(), None).await.map(BeginOutcome::Run)
            }
            Decision::Enqueue => {
                cancel_open(engine, db, &resource, i64::MAX, Overtaken::Idle).await?;
                schedule_deprovision(engine, db, resource.id, trace).await.map(BeginOutcome::Wait)
            }
            Decision::Join => match recorded_before(db, &resource, owner, None).await? {
                Some(operation) => Ok(BeginOutcome::Run(Lease { operation, ..lease(resource, kind, None) })),
                None => join(db, &resource, kind, None, None).await,
            },
            Decision::Unchanged => {
                tombstone(db, resource.id).await?;
                Ok(BeginOutcome::Unchanged)
            }
            Decision::Fail(kind) => Ok(BeginOutcome::Fail(kind)),
            Decision::Ask | Decision::Replay => Ok(BeginOutcome::Fail(FailureKind::Unavailable)),
        }
    }
}

/// Inserts a tombstone for a deprovision that overtook its provision, so that the provision is refused; only for a key
/// or a UUID, because a mistyped id would be kept forever.
///
/// Returns `false` if there is a resource with this key.
async fn insert_tombstone(db: &mut Connection<'_>, addon: &str, id: &str, keyed: bool) -> Result<bool, LedgerError> {
    if !keyed && !is_uuid(id) {
        return Ok(true);
    }
    let insert = "INSERT INTO maitre_resources (addon, key, state, created_at, updated_at, deprovisioned_at)
         VALUES ($1, $2, 'deprovisioned', {now}, {now}, {now}) ON CONFLICT (addon, key) DO NOTHING";
    Ok(db.execute(insert, values![addon, &*key_of(id)]).await? == 1)
}

pub(super) fn lease(resource: Resource, kind: OperationKind, plan: Option<&str>) -> Lease {
    let Resource { id, fence, addon, key, confirmed, .. } = resource;
    let plan = plan.map(ToOwned::to_owned);
    Lease {
        operation: 0,
        resource: id,
        fence,
        addon,
        key,
        kind,
        plan,
        asks: !confirmed,
        keyed: false,
        binding: None,
        trace: None,
    }
}

/// Finds the operation that an earlier run of the same command has recorded: its commit succeeded, but the connection was
/// lost before the confirmation. No other call runs it.
pub(super) async fn recorded_before(
    db: &mut Connection<'_>,
    resource: &Resource,
    owner: &str,
    sealed_request: Option<&[u8]>,
) -> Result<Option<i64>, LedgerError> {
    let select = "SELECT id FROM maitre_operations WHERE resource_id = $1 AND state = 'open' AND fence = $2
         AND lease_owner = $3 AND (request = $4 OR $4 IS NULL) AND lease_until > {now}";
    let row = db.optional_row(select, values![resource.id, resource.fence, owner, sealed_request]).await?;
    row.map(|row| row.number("id")).transpose()
}

/// Finds the open operation that does the same, and ends its backoff: it becomes due, so that the caller can claim it.
pub(super) async fn join(
    db: &mut Connection<'_>,
    resource: &Resource,
    kind: OperationKind,
    plan: Option<&str>,
    binding: Option<i64>,
) -> Result<BeginOutcome, LedgerError> {
    let touch = "UPDATE maitre_operations SET last_requested_at = {now}, scheduled_at = {now} WHERE id =
         (SELECT max(id) FROM maitre_operations WHERE resource_id = $1 AND state = 'open' AND kind = $2
          AND (plan = $3 OR $3 IS NULL) AND ($4 = 0 OR binding_id = $4)) RETURNING id";
    let values = values![resource.id, kind.as_str(), plan, binding.unwrap_or(0)];
    Ok(match db.optional_row(touch, values).await? {
        Some(row) => BeginOutcome::Wait(row.number("id")?),
        None => BeginOutcome::Fail(FailureKind::Unavailable),
    })
}

/// Operation of a binding, to be recorded.
pub(super) struct Next<'n> {
    pub(super) kind: OperationKind,
    pub(super) plan: Option<&'n str>,
    pub(super) binding: Option<i64>,
    pub(super) sealed: Option<&'n [u8]>,
}

/// Records an operation that leaves the state of the resource. It runs immediately if no other one is open.
pub(super) async fn next_operation(
    engine: &Engine,
    db: &mut Connection<'_>,
    resource: Resource,
    owner: &str,
    next: Next<'_>,
) -> Result<BeginOutcome, LedgerError> {
    let Next { kind, plan, binding, sealed } = next;
    if has_open_operations(db, resource.id).await? {
        return enqueue(db, &resource, kind, plan, sealed, None, binding).await.map(BeginOutcome::Wait);
    }
    let state = resource.state;
    let lease = Lease { binding, ..lease(set_state(db, &resource, state).await?, kind, plan) };
    start(engine, db, lease, owner, sealed, None).await.map(BeginOutcome::Run)
}

async fn has_open_operations(db: &mut Connection<'_>, resource: i64) -> Result<bool, LedgerError> {
    let open = "SELECT count(*) AS found FROM maitre_operations WHERE resource_id = $1 AND state = 'open'";
    Ok(db.row(open, values![resource]).await?.number("found")? > 0)
}
