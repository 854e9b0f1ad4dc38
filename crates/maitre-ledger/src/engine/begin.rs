//! An event arrives: the table decides, and the intent is written down before anything is done.

use std::sync::Arc;

use maitre_core::{Job, Provision};

use super::errand::Note;
use super::lease::{Lease, drop_what_waits};
use super::records::{Kind, Resource, hold, hold_key, is_uuid, key_of, place};
use super::{Engine, finish};
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;
use crate::rules::{self, Decision, State};
use crate::stored::{StoredKind, StoredReply, StoredRequest};

/// How a request goes on after its intent is written down.
pub(crate) enum Begun {
    /// Call the listener under this lease.
    Run(Lease),
    /// Wait for this operation, or take it over.
    Wait {
        operation: i64,
        key: String,
    },
    /// The answer is known: the resource holds it, sealed.
    Replay(Resource),
    /// Done already, and nothing to say.
    NoCall,
    Conflict,
    Unknown,
    Gone,
    Unavailable,
}

impl From<Decision> for Begun {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Conflict => Self::Conflict,
            Decision::Unknown => Self::Unknown,
            Decision::Gone => Self::Gone,
            _ => Self::Unavailable,
        }
    }
}

/// A customer installed the add-on.
pub(crate) struct AskProvision {
    pub(crate) addon: String,
    pub(crate) key: String,
    pub(crate) plan: String,
    /// What makes two provisions of one resource the same.
    pub(crate) asked: [u8; 32],
    /// What the listener is to be asked. It is sealed when it is written down, as what comes again is not.
    pub(crate) request: Arc<Provision>,
    /// What cannot wait until it is done.
    pub(crate) errand: Option<Job>,
}

impl AskProvision {
    pub(super) fn sealed_asked(&self, engine: &Engine) -> Vec<u8> {
        engine.keys.seal(&place(&self.addon, &self.key, "request_hash"), &self.asked)
    }

    pub(super) fn sealed_request(&self, engine: &Engine) -> Vec<u8> {
        let request = serde_json::to_vec(&StoredRequest::from(&*self.request)).unwrap_or_default();
        engine.seal_request(&self.addon, &self.key, Kind::Provision, &request)
    }

    fn decide(&self, engine: &Engine, resource: &Resource) -> Result<Decision, LedgerError> {
        let as_first_asked = match &resource.asked {
            Some(sealed) => engine.keys.open(&place(&self.addon, &resource.key, "request_hash"), sealed)? == self.asked,
            None => false,
        };
        Ok(rules::provision(Some(resource.state), as_first_asked))
    }

    /// The answer of a resource that is there, where it can be given without holding it.
    #[cfg(feature = "postgres")]
    pub(super) fn known(&self, engine: &Engine, resource: Resource) -> Result<Option<Begun>, LedgerError> {
        Ok(match self.decide(engine, &resource)? {
            Decision::Join | Decision::Run => None,
            Decision::Replay => Some(Begun::Replay(resource)),
            decision => Some(decision.into()),
        })
    }

    async fn run(
        &self,
        engine: &Engine,
        on: &mut Connection<'_>,
        resource: i64,
        fence: i64,
    ) -> Result<Begun, LedgerError> {
        let lease = Lease {
            operation: 0,
            resource,
            fence,
            addon: self.addon.clone(),
            key: self.key.clone(),
            kind: Kind::Provision,
            plan: Some(self.plan.clone()),
        };
        run(engine, on, lease, Some(&self.sealed_request(engine))).await
    }
}

impl Command for AskProvision {
    type Outcome = Begun;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Begun, LedgerError> {
        let Self { addon, key, plan, errand, .. } = self;
        if let Some(errand) = errand.clone() {
            Note { addon: addon.clone(), errand }.apply(engine, on).await?;
        }
        let mut known = hold_key(on, addon, key).await?;
        if known.is_none() {
            let insert =
                "INSERT INTO maitre_resources (addon, key, state, plan, request_hash, fence, created_at, updated_at)
                 VALUES ($1, $2, 'provisioning', $3, $4, 1, {now}, {now}) ON CONFLICT (addon, key) DO NOTHING
                 {returning id}";
            let id = on.insert(insert, values![addon, key, plan, &self.sealed_asked(engine)]).await?;
            if let Some(id) = id {
                return self.run(engine, on, id, 1).await;
            }
            known = hold_key(on, addon, key).await?; // ordered elsewhere between the two statements
        }
        let Some(resource) = known else { return Ok(Begun::Unavailable) };
        match self.decide(engine, &resource)? {
            Decision::Join => join(on, &resource, Kind::Provision, None).await,
            Decision::Replay => Ok(Begun::Replay(resource)),
            Decision::Run => {
                supersede(engine, on, &resource).await?;
                let again =
                    "UPDATE maitre_resources SET state = 'provisioning', plan = $2, request_hash = $3, reply = NULL,
                     fence = fence + 1, updated_at = {now} WHERE id = $1 RETURNING *";
                let row = on.row(again, values![resource.id, plan, &self.sealed_asked(engine)]).await?;
                let resource = Resource::read(&row)?;
                self.run(engine, on, resource.id, resource.fence).await
            }
            decision => Ok(decision.into()),
        }
    }
}

/// The customer chose another plan.
pub(crate) struct AskPlanChange {
    pub(crate) addon: String,
    pub(crate) id: String,
    pub(crate) plan: String,
    pub(crate) request: Vec<u8>,
}

impl Command for AskPlanChange {
    type Outcome = Begun;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Begun, LedgerError> {
        let Some(resource) = hold(on, &self.addon, &self.id).await? else { return Ok(Begun::Unknown) };
        let plan = self.plan.as_str();
        let (state, next) = match next_plan(on, resource.id).await? {
            // also one that waited for the provision, and one that a person has ordered again
            Some(next) if resource.state.lives() => (State::ChangingPlan, Some(next)),
            _ => (resource.state, resource.plan.clone()),
        };
        let sealed = || engine.seal_request(&resource.addon, &resource.key, Kind::PlanChange, &self.request);
        match rules::plan_change(Some(state), next.as_deref() == Some(plan)) {
            Decision::NoCall => {
                tracing::info!(resource = %resource.key, plan, "asked for the plan that it has: answered without a call");
                Ok(Begun::NoCall)
            }
            Decision::Run => {
                let sealed = sealed();
                let resource = enter(on, &resource, State::ChangingPlan).await?;
                run(engine, on, lease(resource, Kind::PlanChange, Some(plan)), Some(&sealed)).await
            }
            Decision::After => after(on, &resource, Kind::PlanChange, Some(plan), Some(&sealed())).await,
            Decision::Join => join(on, &resource, Kind::PlanChange, Some(plan)).await,
            decision => Ok(decision.into()),
        }
    }
}

/// The customer removed the add-on.
pub(crate) struct AskDeprovision {
    pub(crate) addon: String,
    pub(crate) id: String,
}

impl Command for AskDeprovision {
    type Outcome = Begun;

    async fn apply(&self, engine: &Engine, on: &mut Connection<'_>) -> Result<Begun, LedgerError> {
        let Self { addon, id } = self;
        let mut resource = hold(on, addon, id).await?;
        if resource.is_none() && !bury(on, addon, id).await? {
            // it was ordered between the two statements
            resource = hold(on, addon, id).await?;
        }
        let Some(resource) = resource else { return Ok(Begun::Unknown) };
        match rules::deprovision(Some(resource.state)) {
            Decision::Run => {
                let resource = enter(on, &resource, State::Deprovisioning).await?;
                run(engine, on, lease(resource, Kind::Deprovision, None), None).await
            }
            Decision::After => {
                drop_what_waits(engine, on, &resource, i64::MAX).await?;
                let removing = "UPDATE maitre_resources SET state = 'deprovisioning', updated_at = {now} WHERE id = $1";
                on.run(removing, values![resource.id]).await?;
                after(on, &resource, Kind::Deprovision, None, None).await
            }
            Decision::Join => join(on, &resource, Kind::Deprovision, None).await,
            Decision::NoCall => {
                finish::bury(on, resource.id).await?;
                Ok(Begun::NoCall)
            }
            decision => Ok(decision.into()),
        }
    }
}

/// A deprovision that overtook its provision leaves a tombstone, so that the provision stays dead; but only a key that
/// could be a marketplace's, or anybody's slip would be kept for ever.
///
/// Says no where there is a resource by this key.
async fn bury(on: &mut Connection<'_>, addon: &str, id: &str) -> Result<bool, LedgerError> {
    if !is_uuid(id) {
        return Ok(true);
    }
    let tombstone = "INSERT INTO maitre_resources (addon, key, state, created_at, updated_at, deprovisioned_at)
         VALUES ($1, $2, 'deprovisioned', {now}, {now}, {now}) ON CONFLICT (addon, key) DO NOTHING";
    Ok(on.run(tombstone, values![addon, &*key_of(id)]).await? == 1)
}

/// Another state, under the next fence.
pub(super) async fn enter(on: &mut Connection<'_>, resource: &Resource, state: State) -> Result<Resource, LedgerError> {
    let change =
        "UPDATE maitre_resources SET state = $2, fence = fence + 1, updated_at = {now} WHERE id = $1 RETURNING *";
    Resource::read(&on.row(change, values![resource.id, state.as_str()]).await?)
}

fn lease(resource: Resource, kind: Kind, plan: Option<&str>) -> Lease {
    let Resource { id, fence, addon, key, .. } = resource;
    Lease { operation: 0, resource: id, fence, addon, key, kind, plan: plan.map(ToOwned::to_owned) }
}

/// Writes an operation down that this process runs at once; the lease gets its number.
async fn run(
    engine: &Engine,
    on: &mut Connection<'_>,
    mut lease: Lease,
    sealed_request: Option<&[u8]>,
) -> Result<Begun, LedgerError> {
    let insert = "INSERT INTO maitre_operations (resource, kind, state, plan, request, attempt, fence, lease_owner,
         lease_until, scheduled_at, requested_at, last_requested_at)
         VALUES ($1, $2, 'open', $3, $4, 1, $5, $6, {now} + $7, {now}, {now}, {now}) {returning id}";
    let Lease { resource, fence, kind, plan, .. } = &lease;
    let (owner, length) = (&engine.owner, engine.limits.lease);
    let values = values![*resource, kind.as_str(), plan.as_deref(), sealed_request, *fence, owner, length];
    lease.operation = on.insert(insert, values).await?.ok_or(LedgerError::damaged("an operation without a number"))?;
    Ok(Begun::Run(lease))
}

/// Writes an operation down whose turn comes when its lane is free.
pub(super) async fn after(
    on: &mut Connection<'_>,
    resource: &Resource,
    kind: Kind,
    plan: Option<&str>,
    sealed_request: Option<&[u8]>,
) -> Result<Begun, LedgerError> {
    let insert = "INSERT INTO maitre_operations (resource, kind, state, plan, request, scheduled_at, requested_at, last_requested_at)
         VALUES ($1, $2, 'open', $3, $4, {now}, {now}, {now}) {returning id}";
    let operation = on.insert(insert, values![resource.id, kind.as_str(), plan, sealed_request]).await?;
    let operation = operation.ok_or(LedgerError::damaged("an operation without a number"))?;
    Ok(Begun::Wait { operation, key: resource.key.clone() })
}

/// Finds the open operation that does the same, and lets it be tried again at once: somebody waits for it.
async fn join(
    on: &mut Connection<'_>,
    resource: &Resource,
    kind: Kind,
    plan: Option<&str>,
) -> Result<Begun, LedgerError> {
    let touch = "UPDATE maitre_operations SET last_requested_at = {now}, scheduled_at = {now} WHERE id =
         (SELECT max(id) FROM maitre_operations WHERE resource = $1 AND state = 'open' AND kind = $2
          AND (plan = $3 OR $3 IS NULL)) RETURNING id";
    Ok(match on.maybe_row(touch, values![resource.id, kind.as_str(), plan]).await? {
        Some(row) => Begun::Wait { operation: row.number("id")?, key: resource.key.clone() },
        None => Begun::Unavailable,
    })
}

/// The plan that a changing resource will have when all that is asked for is done.
async fn next_plan(on: &mut Connection<'_>, resource: i64) -> Result<Option<String>, LedgerError> {
    let last = "SELECT plan FROM maitre_operations WHERE resource = $1 AND state = 'open' AND kind = 'plan_change'
                ORDER BY id DESC LIMIT 1";
    let row = on.maybe_row(last, values![resource]).await?;
    row.map(|row| row.maybe_text("plan")).transpose().map(Option::flatten)
}

/// A new order takes the place of the one that was parked, also where a person has just ordered that one again.
async fn supersede(engine: &Engine, on: &mut Connection<'_>, resource: &Resource) -> Result<(), LedgerError> {
    let failed = StoredReply::Failed { kind: StoredKind::Unavailable, message: None };
    let drop = "UPDATE maitre_operations SET state = 'cancelled', reply = $2, request = NULL, finished_at = {now}
         WHERE resource = $1 AND kind = 'provision' AND state IN ('open', 'parked')";
    let reply = engine.seal_reply(&resource.addon, &resource.key, &failed);
    on.run(drop, values![resource.id, &reply]).await.map(|_| ())
}
