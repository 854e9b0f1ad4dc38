//! Adoption of existing resources in bulk.

use std::collections::HashMap;

use super::action::Author;
use super::adoption::{Adoption, ContradictionKind};
use super::context::Engine;
use super::rows::Resource;
use super::rules::State;
use super::stored_reply::{StoredReply, config_of};
use crate::db::{Command, Connection, Milliseconds, values};
use crate::error::LedgerError;

/// Adopts a batch of resources in one transaction, or only compares them with the ledger.
pub(crate) struct Adopt {
    /// In the order of add-on and key, as in every other batch, so that two processes cannot deadlock.
    pub(crate) resources: Vec<Adoption>,
    pub(crate) mode: AdoptMode,
}

/// Whether an adoption changes the ledger.
#[derive(Clone)]
pub(crate) enum AdoptMode {
    DryRun,
    Write,
    /// Also records the action of an operator.
    Record(Author),
}

/// Result for one resource.
pub(crate) enum Adopted {
    New,
    Unchanged,
    Contradicts(ContradictionKind),
}

/// Change of the ledger that adopts a resource.
enum Change {
    Insert,
    /// Adds values to the resource with this id, about which only the listener was asked so far.
    Complete(i64),
    /// The same, for a resource whose key was unknown so far: it was called by its provider id.
    Rename(i64),
    None,
}

impl AdoptMode {
    pub(crate) fn is_dry_run(&self) -> bool {
        matches!(self, Self::DryRun)
    }
}

impl Command<Engine> for Adopt {
    type Outcome = Vec<Adopted>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Vec<Adopted>, LedgerError> {
        let known = Known::read(db, &self.resources).await?;
        let mut outcomes = Vec::with_capacity(self.resources.len());
        for adoption in &self.resources {
            let change = match known.compare(engine, adoption)? {
                Ok(Change::None) => {
                    outcomes.push(Adopted::Unchanged);
                    continue;
                }
                Ok(change) => change,
                Err(kind) => {
                    outcomes.push(Adopted::Contradicts(kind));
                    continue;
                }
            };
            let done = self.mode.is_dry_run() || write(engine, db, adoption, &change).await?;
            if let (true, AdoptMode::Record(author)) = (done, &self.mode) {
                author.record_adoption(engine, db, &adoption.addon.to_string(), &adoption.key).await?;
            }
            // a request has changed the resource since it was read
            outcomes.push(if done { Adopted::New } else { Adopted::Contradicts(ContradictionKind::InProgress) });
        }
        Ok(outcomes)
    }
}

async fn write(
    engine: &Engine,
    db: &mut Connection<'_>,
    adoption: &Adoption,
    change: &Change,
) -> Result<bool, LedgerError> {
    let addon = adoption.addon.to_string();
    let sealed = adoption.reply().map(|reply| engine.seal_reply(&addon, &adoption.key, &reply));
    let created_at = adoption.created_at.map(milliseconds);
    let (key, provider_id, plan) = (&*adoption.key, adoption.own_id(), &*adoption.plan);
    match change {
        Change::None => Ok(true),
        Change::Insert => {
            let insert = "INSERT INTO maitre_resources (addon, key, provider_id, state, plan, reply, fence, created_at,
                 updated_at, adopted_at)
                 VALUES ($1, $2, $3, 'provisioned', $4, $5, {now}, COALESCE($6, {now}), {now}, {now})
                 ON CONFLICT (addon, key) DO NOTHING";
            let values = values![&addon, key, provider_id, plan, sealed.as_deref(), created_at];
            Ok(db.execute(insert, values).await? == 1)
        }
        Change::Complete(id) => {
            let update = "UPDATE maitre_resources SET provider_id = COALESCE($2, provider_id), reply = $3,
                 created_at = COALESCE($4, created_at), updated_at = {now}, adopted_at = COALESCE(adopted_at, {now})
                 WHERE id = $1 AND state = 'provisioned' AND reply IS NULL";
            Ok(db.execute(update, values![*id, provider_id, sealed.as_deref(), created_at]).await? == 1)
        }
        Change::Rename(id) => {
            let old = provider_id.unwrap_or_default();
            let update = "UPDATE maitre_resources SET key = $2, provider_id = $3, reply = $4,
                 created_at = COALESCE($5, created_at), updated_at = {now}
                 WHERE id = $1 AND state = 'provisioned' AND reply IS NULL AND NOT EXISTS
                 (SELECT 1 FROM maitre_operations WHERE resource_id = $1 AND state IN ('open', 'parked'))";
            let values = values![*id, key, provider_id, sealed.as_deref(), created_at];
            if db.execute(update, values).await? == 0 {
                return Ok(false);
            }
            // values that are sealed for the old key can no longer be opened
            let clear = "UPDATE maitre_operations SET reply = NULL, last_error = NULL, progress = NULL
                 WHERE resource_id = $1";
            db.execute(clear, values![*id]).await?;
            // the users of the old key sign in again
            let sessions = "DELETE FROM maitre_sessions WHERE resource = $1";
            db.execute(sessions, values![&format!("{addon} {old}")]).await?;
            Ok(true)
        }
    }
}

fn milliseconds(at: time::OffsetDateTime) -> Milliseconds {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// Resources of the ledger that one of a batch may be, by add-on and id.
struct Known {
    by_key: HashMap<(String, String), Resource>,
    by_provider_id: HashMap<(String, String), Resource>,
}

impl Known {
    async fn read(db: &mut Connection<'_>, adoptions: &[Adoption]) -> Result<Self, LedgerError> {
        let keys = adoptions.iter().map(|adoption| adoption.key.as_str());
        let ids: Vec<_> = keys.chain(adoptions.iter().filter_map(Adoption::own_id)).map(Some).collect();
        let by_key = "SELECT * FROM maitre_resources WHERE key {any $1}";
        let by_provider_id = "SELECT * FROM maitre_resources WHERE provider_id {any $1} ORDER BY id";
        let mut known = Self { by_key: HashMap::new(), by_provider_id: HashMap::new() };
        for row in db.rows(by_key, values![&ids[..]]).await? {
            let resource = Resource::read(&row)?;
            known.by_key.insert((resource.addon.clone(), resource.key.clone()), resource);
        }
        for row in db.rows(by_provider_id, values![&ids[..]]).await? {
            let resource = Resource::read(&row)?;
            let Some(id) = resource.provider_id.clone() else { continue };
            known.by_provider_id.insert((resource.addon.clone(), id), resource); // the newest, as `Resource::lock` finds
        }
        Ok(known)
    }

    /// Compares a resource with the ledger. Returns the change that adopts it, or the contradiction.
    fn compare(&self, engine: &Engine, adoption: &Adoption) -> Result<Result<Change, ContradictionKind>, LedgerError> {
        let addon = adoption.addon.to_string();
        let by_key = |id: &str| self.by_key.get(&(addon.clone(), id.to_owned()));
        let by_provider_id = |id: &str| self.by_provider_id.get(&(addon.clone(), id.to_owned()));
        let existing = by_key(&adoption.key);
        if let Some(resource) = existing {
            if !resource.confirmed {
                return Ok(Err(ContradictionKind::InProgress));
            }
            if !resource.state.is_live() {
                return Ok(Err(ContradictionKind::State(resource.state)));
            }
        }
        if let Some(named) = adoption.own_id().and_then(by_key) {
            return Ok(match existing {
                None => of_provider_id(named, adoption),
                Some(_) => Err(ContradictionKind::IdTaken(named.key.clone())),
            });
        }
        let others = [by_provider_id(&adoption.key), adoption.own_id().and_then(by_provider_id)];
        if let Some(other) = others.into_iter().flatten().find(|other| other.key != adoption.key) {
            return Ok(Err(ContradictionKind::IdTaken(other.key.clone())));
        }
        match existing {
            None => Ok(Ok(Change::Insert)),
            Some(resource) => same(engine, resource, adoption),
        }
    }
}

/// Whether the ledger knows only from the listener that the resource exists.
fn was_asked(resource: &Resource) -> bool {
    resource.state.is_live() && resource.confirmed && resource.request_hash.is_none() && resource.reply.is_none()
}

/// Compares a resource with the ledger's resource that has its provider id as key.
fn of_provider_id(named: &Resource, adoption: &Adoption) -> Result<Change, ContradictionKind> {
    match named.state {
        State::Provisioned if !named.confirmed => Err(ContradictionKind::InProgress),
        State::ChangingPlan | State::Provisioning => Err(ContradictionKind::InProgress),
        State::Deprovisioning | State::Deprovisioned => Err(ContradictionKind::State(named.state)),
        _ if !was_asked(named) => Err(ContradictionKind::IdTaken(named.key.clone())),
        _ if named.plan.as_ref() != Some(&adoption.plan) => Err(ContradictionKind::Plan(named.plan.clone())),
        _ => Ok(Change::Rename(named.id)),
    }
}

/// Compares a resource with its live record.
fn same(
    engine: &Engine,
    resource: &Resource,
    adoption: &Adoption,
) -> Result<Result<Change, ContradictionKind>, LedgerError> {
    if resource.plan.as_ref() != Some(&adoption.plan) {
        return Ok(Err(ContradictionKind::Plan(resource.plan.clone())));
    }
    let own_id = adoption.own_id();
    let is_asked = was_asked(resource);
    let id_is_new = is_asked && resource.provider_id.is_none() && own_id.is_some();
    if adoption.provider_id.is_some() && resource.provider_id.as_deref() != own_id && !id_is_new {
        return Ok(Err(ContradictionKind::ProviderId(resource.provider_id.clone())));
    }
    let Some(config) = &adoption.config else {
        return Ok(Ok(if id_is_new { Change::Complete(resource.id) } else { Change::None }));
    };
    if resource.reply.is_none() {
        return Ok(Ok(Change::Complete(resource.id)));
    }
    let StoredReply::Provisioned { config: recorded, .. } = engine.reply_of(resource)? else {
        return Ok(Err(ContradictionKind::Config));
    };
    let sorted = |mut config: Vec<(String, String)>| {
        config.sort_unstable();
        config
    };
    let is_same = sorted(recorded) == sorted(config_of(config));
    Ok(if is_same { Ok(Change::None) } else { Err(ContradictionKind::Config) })
}
