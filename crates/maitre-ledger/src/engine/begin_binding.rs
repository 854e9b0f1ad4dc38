//! Begin commands of bindings. Their operations are in the queue of their resource.

use maitre_core::FailureKind;

use super::begin::{BeginOutcome, Next, join, lease, next_operation, recorded_before};
use super::binding::{Binding, binding_aad, cancel_waiting_binds, set_binding_state, supersede_bind, unbound};
use super::binding_rules::{self as rules, BindingState};
use super::context::Engine;
use super::operation::OperationKind;
use super::rows::{Lease, Resource};
use super::rules::{Decision, Repeat, State};
use super::transitions::insert_unconfirmed;
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Begins a bind.
pub(crate) struct BeginBind {
    pub(crate) addon: String,
    /// Key or provider id of the resource.
    pub(crate) resource: String,
    pub(crate) binding: String,
    pub(crate) plan: Option<String>,
    /// Hash of the request, by which a repeated bind is compared.
    pub(crate) request_hash: [u8; 32],
    pub(crate) request: Vec<u8>,
    /// Whether the key of a removed binding may be used again.
    pub(crate) reuse: bool,
    /// See [`Engine::lease_owner`].
    pub(crate) owner: String,
}

/// Begins the removal of a binding.
pub(crate) struct BeginUnbind {
    pub(crate) addon: String,
    /// Key or provider id of the resource.
    pub(crate) resource: String,
    pub(crate) binding: String,
    pub(crate) request: Vec<u8>,
    /// Whether the listener creates separate credentials for each binding.
    pub(crate) separate: bool,
    /// See [`Engine::lease_owner`].
    pub(crate) owner: String,
}

/// Locks the resource of a binding. About one that the ledger has never seen, the listener is asked.
async fn lock_resource(
    db: &mut Connection<'_>,
    addon: &str,
    id: &str,
    decide: impl Fn(Option<State>) -> Decision,
) -> Result<Result<Resource, FailureKind>, LedgerError> {
    let mut known = Resource::lock(db, addon, id).await?;
    if known.is_none() {
        if let Decision::Fail(kind) = decide(None) {
            return Ok(Err(kind));
        }
        known = match insert_unconfirmed(db, addon, id, State::Provisioned).await? {
            Some(asked) => return Ok(Ok(asked)),
            None => Resource::lock(db, addon, id).await?, // inserted concurrently by another process
        };
    }
    let Some(resource) = known else { return Ok(Err(FailureKind::Unavailable)) };
    Ok(match decide(Some(resource.state)) {
        Decision::Fail(kind) => Err(kind),
        _ => Ok(resource),
    })
}

impl Command<Engine> for BeginBind {
    type Outcome = BeginOutcome;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<BeginOutcome, LedgerError> {
        let unknown = engine.limits.unknown;
        let decide = |state| rules::bind_on(state, unknown);
        let resource = match lock_resource(db, &self.addon, &self.resource, decide).await? {
            Ok(resource) => resource,
            Err(kind) => return Ok(BeginOutcome::Fail(kind)),
        };
        let hash_aad = binding_aad(&self.addon, &resource.key, &self.binding, "request_hash");
        let existing = Binding::find(db, resource.id, &self.binding).await?;
        let same_request = match existing.as_ref().and_then(|binding| binding.request_hash.as_ref()) {
            Some(sealed) => engine.open(&hash_aad, sealed)? == self.request_hash,
            None => false,
        };
        let repeat = if same_request { Repeat::Same } else { Repeat::Different };
        let state = existing.as_ref().map(|binding| binding.state);
        match (rules::bind(state, repeat, self.reuse), existing) {
            (Decision::Fail(kind), _) => Ok(BeginOutcome::Fail(kind)),
            (Decision::Run, existing) => {
                let sealed_hash = engine.keys.seal(&hash_aad, &self.request_hash);
                let binding = match existing {
                    None => {
                        let state = BindingState::Binding;
                        Binding::insert(db, resource.id, &self.binding, state, Some(&sealed_hash), true).await?
                    }
                    Some(binding) => {
                        supersede_bind(engine, db, &resource, binding.id).await?;
                        let update = "UPDATE maitre_bindings SET state = 'binding', request_hash = $2, reply = NULL,
                             confirmed = TRUE, unbound_at = NULL, updated_at = {now} WHERE id = $1";
                        db.execute(update, values![binding.id, &sealed_hash]).await?;
                        binding.id
                    }
                };
                let kind = OperationKind::Bind;
                let sealed = engine.seal_request(&resource.addon, &resource.key, kind, &self.request);
                let next = Next { kind, plan: self.plan.as_deref(), binding: Some(binding), sealed: Some(&sealed) };
                next_operation(engine, db, resource, &self.owner, next).await
            }
            (Decision::Join, Some(binding)) => self.join(db, resource, binding.id).await,
            (Decision::Replay, Some(binding)) => Ok(match binding.reply(engine, &resource)? {
                Some(reply) => BeginOutcome::Recorded(Box::new(reply)),
                None => BeginOutcome::Fail(FailureKind::Unavailable),
            }),
            _ => Ok(BeginOutcome::Fail(FailureKind::Unavailable)),
        }
    }
}

impl BeginBind {
    async fn join(
        &self,
        db: &mut Connection<'_>,
        resource: Resource,
        binding: i64,
    ) -> Result<BeginOutcome, LedgerError> {
        let kind = OperationKind::Bind;
        match recorded_before(db, &resource, &self.owner, None).await? {
            Some(operation) => {
                let lease = lease(resource, kind, self.plan.as_deref());
                Ok(BeginOutcome::Run(Lease { operation, binding: Some(binding), ..lease }))
            }
            None => join(db, &resource, kind, None, Some(binding)).await,
        }
    }
}

impl Command<Engine> for BeginUnbind {
    type Outcome = BeginOutcome;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<BeginOutcome, LedgerError> {
        let (unknown, separate) = (engine.limits.unknown, self.separate);
        let decide = |state| rules::unbind_on(state, unknown, separate);
        let resource = match lock_resource(db, &self.addon, &self.resource, decide).await? {
            Ok(resource) => resource,
            Err(kind) => return Ok(BeginOutcome::Fail(kind)),
        };
        let kind = OperationKind::Unbind;
        let existing = Binding::find(db, resource.id, &self.binding).await?;
        let state = existing.as_ref().map(|binding| binding.state);
        let binding = match (rules::unbind(state, unknown, separate), existing) {
            (Decision::Fail(kind), None) => {
                // a bind that this unbind has overtaken is refused
                Binding::insert(db, resource.id, &self.binding, BindingState::Unbound, None, true).await?;
                return Ok(BeginOutcome::Fail(kind));
            }
            (Decision::Fail(kind), _) => return Ok(BeginOutcome::Fail(kind)),
            (Decision::Ask, _) => {
                Binding::insert(db, resource.id, &self.binding, BindingState::Unbinding, None, false).await?
            }
            (Decision::Run, Some(binding)) => binding.id,
            (Decision::Enqueue, Some(binding)) => {
                cancel_waiting_binds(engine, db, &resource, binding.id).await?;
                binding.id
            }
            (Decision::Join, Some(binding)) => {
                return match recorded_before(db, &resource, &self.owner, None).await? {
                    Some(operation) => {
                        let asks = !binding.confirmed;
                        let lease = lease(resource, kind, None);
                        Ok(BeginOutcome::Run(Lease { operation, binding: Some(binding.id), asks, ..lease }))
                    }
                    None => join(db, &resource, kind, None, Some(binding.id)).await,
                };
            }
            (Decision::Unchanged, Some(binding)) => {
                unbound(engine, db, &resource.addon, &resource.key, binding.id).await?;
                return Ok(BeginOutcome::Unchanged);
            }
            _ => return Ok(BeginOutcome::Fail(FailureKind::Unavailable)),
        };
        set_binding_state(db, binding, BindingState::Unbinding).await?;
        let asks = state.is_none();
        let sealed = engine.seal_request(&resource.addon, &resource.key, kind, &self.request);
        let next = Next { kind, plan: None, binding: Some(binding), sealed: Some(&sealed) };
        Ok(match next_operation(engine, db, resource, &self.owner, next).await? {
            BeginOutcome::Run(lease) => BeginOutcome::Run(Lease { asks, ..lease }),
            outcome => outcome,
        })
    }
}
