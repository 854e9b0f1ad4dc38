//! Begin commands: apply the state rules to a request and record the operation before anything is done.

use std::sync::{Arc, OnceLock};

use maitre_core::{FailureKind, Job, Provision};

use super::context::Engine;
use super::job::EnqueueJob;
use super::operation::OperationKind;
use super::rows::{Lease, Resource, is_uuid, key_of};
use super::rules::{self, Decision, Repeat, State};
use super::sealed::aad;
use super::stored::StoredRequest;
use super::transitions::{
    Overtaken, cancel_open, enqueue, insert_unconfirmed, schedule_deprovision, set_state, start, supersede, tombstone,
};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Next step of a request whose operation is recorded.
pub(crate) enum BeginOutcome {
    /// Call the listener under this lease.
    Run(Lease),
    /// Wait for this operation, or claim it when its lease has expired.
    Wait(i64),
    /// Return the reply stored in the resource.
    Replay(Resource),
    /// Succeed without a call: nothing changes.
    Unchanged,
    /// Fail without a call.
    Fail(FailureKind),
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
        Ok(rules::provision(Some(resource.state), repeat))
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
        };
        start(engine, db, lease, &engine.owner, Some(&self.sealed_request(engine))).await.map(BeginOutcome::Run)
    }
}

impl Command<Engine> for BeginProvision {
    type Outcome = BeginOutcome;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<BeginOutcome, LedgerError> {
        let Self { addon, key, plan, job, .. } = self;
        if let Some(job) = job.clone() {
            EnqueueJob { addon: addon.clone(), job }.apply(engine, db).await?;
        }
        let mut known = Resource::lock_by_key(db, addon, key).await?;
        if known.is_none() {
            let insert = "INSERT INTO maitre_resources (addon, key, state, plan, request_hash, fence, created_at,
                 updated_at) VALUES ($1, $2, 'provisioning', $3, $4, 1, {now}, {now})
                 ON CONFLICT (addon, key) DO NOTHING {returning id}";
            let id = db.insert(insert, values![addon, key, plan, &self.sealed_hash(engine)]).await?;
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
                join(db, &resource, kind, None).await
            }
            Decision::Replay => Ok(BeginOutcome::Replay(resource)),
            Decision::Fail(kind) => Ok(BeginOutcome::Fail(kind)),
            Decision::Run => {
                supersede(engine, db, &resource).await?;
                let update = "UPDATE maitre_resources SET state = 'provisioning', plan = $2, request_hash = $3,
                     reply = NULL, fence = fence + 1, updated_at = {now} WHERE id = $1 RETURNING *";
                let row = db.row(update, values![resource.id, plan, &self.sealed_hash(engine)]).await?;
                let resource = Resource::read(&row)?;
                self.start(engine, db, resource.id, resource.fence).await
            }
            Decision::Ask | Decision::Enqueue | Decision::Unchanged => Ok(BeginOutcome::Fail(FailureKind::Unavailable)),
        }
    }
}

/// Begins a plan change.
pub(crate) struct BeginPlanChange {
    pub(crate) addon: String,
    pub(crate) id: String,
    pub(crate) plan: String,
    pub(crate) request: Vec<u8>,
    /// See [`Engine::lease_owner`].
    pub(crate) owner: String,
}

impl Command<Engine> for BeginPlanChange {
    type Outcome = BeginOutcome;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<BeginOutcome, LedgerError> {
        let plan = self.plan.as_str();
        let mut known = Resource::lock(db, &self.addon, &self.id).await?;
        if known.is_none() {
            if let Decision::Fail(kind) = rules::plan_change(None, false, engine.limits.unknown) {
                return Ok(BeginOutcome::Fail(kind));
            }
            if let Some(asked) = insert_unconfirmed(db, &self.addon, &self.id, State::ChangingPlan).await? {
                let sealed = engine.seal_request(&asked.addon, &asked.key, OperationKind::PlanChange, &self.request);
                let lease = lease(asked, OperationKind::PlanChange, Some(plan));
                return start(engine, db, lease, &self.owner, Some(&sealed)).await.map(BeginOutcome::Run);
            }
            known = Resource::lock(db, &self.addon, &self.id).await?; // inserted concurrently by another process
        }
        let Some(resource) = known else { return Ok(BeginOutcome::Fail(FailureKind::Unavailable)) };
        let (state, next) = match next_plan(db, resource.id).await? {
            // also a plan change that waited for the provision, or that an operator has reopened
            Some(next) if resource.state.is_live() => (State::ChangingPlan, Some(next)),
            _ => (resource.state, resource.plan.clone()),
        };
        let kind = OperationKind::PlanChange;
        let sealed = || engine.seal_request(&resource.addon, &resource.key, kind, &self.request);
        match rules::plan_change(Some(state), next.as_deref() == Some(plan), engine.limits.unknown) {
            Decision::Unchanged => {
                tracing::info!(resource = %resource.key, plan, "plan unchanged: listener not called");
                Ok(BeginOutcome::Unchanged)
            }
            Decision::Run => {
                let sealed = sealed();
                let resource = set_state(db, &resource, State::ChangingPlan).await?;
                let lease = lease(resource, kind, Some(plan));
                start(engine, db, lease, &self.owner, Some(&sealed)).await.map(BeginOutcome::Run)
            }
            Decision::Enqueue => {
                enqueue(db, &resource, kind, Some(plan), Some(&sealed())).await.map(BeginOutcome::Wait)
            }
            Decision::Join => match recorded_before(db, &resource, &self.owner, None).await? {
                Some(operation) => Ok(BeginOutcome::Run(Lease { operation, ..lease(resource, kind, Some(plan)) })),
                None => join(db, &resource, kind, Some(plan)).await,
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
    /// See [`Engine::lease_owner`].
    pub(crate) owner: String,
}

impl Command<Engine> for BeginDeprovision {
    type Outcome = BeginOutcome;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<BeginOutcome, LedgerError> {
        let Self { addon, id, owner } = self;
        let kind = OperationKind::Deprovision;
        let mut known = Resource::lock(db, addon, id).await?;
        if known.is_none() {
            if let Decision::Fail(kind) = rules::deprovision(None, engine.limits.unknown) {
                if insert_tombstone(db, addon, id).await? {
                    return Ok(BeginOutcome::Fail(kind));
                }
            } else if let Some(asked) = insert_unconfirmed(db, addon, id, State::Deprovisioning).await? {
                return start(engine, db, lease(asked, kind, None), owner, None).await.map(BeginOutcome::Run);
            }
            known = Resource::lock(db, addon, id).await?; // inserted concurrently by another process
        }
        let Some(resource) = known else { return Ok(BeginOutcome::Fail(FailureKind::Unavailable)) };
        match rules::deprovision(Some(resource.state), engine.limits.unknown) {
            Decision::Run => {
                let resource = set_state(db, &resource, State::Deprovisioning).await?;
                start(engine, db, lease(resource, kind, None), owner, None).await.map(BeginOutcome::Run)
            }
            Decision::Enqueue => {
                cancel_open(engine, db, &resource, i64::MAX, Overtaken::Idle).await?;
                schedule_deprovision(db, resource.id).await.map(BeginOutcome::Wait)
            }
            Decision::Join => match recorded_before(db, &resource, owner, None).await? {
                Some(operation) => Ok(BeginOutcome::Run(Lease { operation, ..lease(resource, kind, None) })),
                None => join(db, &resource, kind, None).await,
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

/// Inserts a tombstone for a deprovision that overtook its provision, so that the provision is refused; only for a UUID,
/// because a mistyped id would be kept forever.
///
/// Returns `false` if there is a resource with this key.
async fn insert_tombstone(db: &mut Connection<'_>, addon: &str, id: &str) -> Result<bool, LedgerError> {
    if !is_uuid(id) {
        return Ok(true);
    }
    let insert = "INSERT INTO maitre_resources (addon, key, state, created_at, updated_at, deprovisioned_at)
         VALUES ($1, $2, 'deprovisioned', {now}, {now}, {now}) ON CONFLICT (addon, key) DO NOTHING";
    Ok(db.execute(insert, values![addon, &*key_of(id)]).await? == 1)
}

fn lease(resource: Resource, kind: OperationKind, plan: Option<&str>) -> Lease {
    let Resource { id, fence, addon, key, confirmed, .. } = resource;
    Lease { operation: 0, resource: id, fence, addon, key, kind, plan: plan.map(ToOwned::to_owned), asks: !confirmed }
}

/// Finds the operation that an earlier run of the same command has recorded: its commit succeeded, but the connection was
/// lost before the confirmation. No other call runs it.
async fn recorded_before(
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

/// Finds the open operation that does the same, and makes it due: its caller waits.
async fn join(
    db: &mut Connection<'_>,
    resource: &Resource,
    kind: OperationKind,
    plan: Option<&str>,
) -> Result<BeginOutcome, LedgerError> {
    let touch = "UPDATE maitre_operations SET last_requested_at = {now}, scheduled_at = {now} WHERE id =
         (SELECT max(id) FROM maitre_operations WHERE resource_id = $1 AND state = 'open' AND kind = $2
          AND (plan = $3 OR $3 IS NULL)) RETURNING id";
    Ok(match db.optional_row(touch, values![resource.id, kind.as_str(), plan]).await? {
        Some(row) => BeginOutcome::Wait(row.number("id")?),
        None => BeginOutcome::Fail(FailureKind::Unavailable),
    })
}

/// Returns the plan that the resource has after its open plan changes.
async fn next_plan(db: &mut Connection<'_>, resource: i64) -> Result<Option<String>, LedgerError> {
    let last = "SELECT plan FROM maitre_operations WHERE resource_id = $1 AND state = 'open' AND kind = 'plan_change'
                ORDER BY id DESC LIMIT 1";
    let row = db.optional_row(last, values![resource]).await?;
    row.map(|row| row.optional_text("plan")).transpose().map(Option::flatten)
}
