//! Reads for marketplaces that poll, or that read back what was recorded.

use maitre_core::{FailureKind, OperationState as Progress, OperationStatus};

use super::binding::{Binding, ended_reply};
use super::binding_rules::BindingState;
use super::context::Engine;
use super::find::find_resource;
use super::operation::OperationState;
use super::rows::{Operation, Resource};
use super::rules::State;
use super::sealed::aad;
use super::stored_reply::StoredReply;
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// A live resource, with its reply if it has one.
pub(crate) struct Record {
    pub(crate) resource: Resource,
    pub(crate) reply: Option<StoredReply>,
    pub(crate) suspended: bool,
    /// Key of the account that it belongs to.
    pub(crate) account: Option<String>,
}

/// Reads a resource. Fails like a request for it.
pub(crate) struct ReadRecord {
    pub(crate) addon: String,
    /// Key or provider id of the resource.
    pub(crate) resource: String,
}

impl Command<Engine> for ReadRecord {
    type Outcome = Result<Record, FailureKind>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Self::Outcome, LedgerError> {
        let resource = match find_live(db, &self.addon, &self.resource).await? {
            Ok(resource) => resource,
            Err(kind) => return Ok(Err(kind)),
        };
        let reply = resource.reply.is_some().then(|| engine.reply_of(&resource)).transpose()?;
        let select = "SELECT suspended_at IS NOT NULL AS suspended, account FROM maitre_resources WHERE id = $1";
        let row = db.row(select, values![resource.id]).await?;
        let (suspended, account) = (row.flag("suspended")?, row.optional_text("account")?);
        Ok(Ok(Record { resource, reply, suspended, account }))
    }
}

/// Reads the recorded reply to a bind. Fails like a request for the binding.
pub(crate) struct ReadBinding {
    pub(crate) addon: String,
    /// Key or provider id of the resource.
    pub(crate) resource: String,
    pub(crate) binding: String,
}

impl Command<Engine> for ReadBinding {
    type Outcome = Result<StoredReply, FailureKind>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Self::Outcome, LedgerError> {
        let resource = match find_live(db, &self.addon, &self.resource).await? {
            Ok(resource) => resource,
            Err(kind) => return Ok(Err(kind)),
        };
        let Some(binding) = Binding::find(db, resource.id, &self.binding).await? else {
            return Ok(Err(FailureKind::Unknown));
        };
        Ok(match binding.state {
            BindingState::Bound => binding.reply(engine, &resource)?.ok_or(FailureKind::Unknown),
            BindingState::Unbound => Err(FailureKind::Gone),
            _ => Err(FailureKind::Unknown),
        })
    }
}

/// Reads the current config vars of a resource, if they are known.
pub(crate) struct ReadConfig {
    pub(crate) resource: i64,
}

impl Command<Engine> for ReadConfig {
    type Outcome = Option<Vec<(String, String)>>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Self::Outcome, LedgerError> {
        let select = "SELECT * FROM maitre_resources WHERE id = $1";
        let Some(row) = db.optional_row(select, values![self.resource]).await? else { return Ok(None) };
        let resource = Resource::read(&row)?;
        if resource.reply.is_none() {
            return Ok(None);
        }
        Ok(match engine.reply_of(&resource)? {
            StoredReply::Provisioned { config, .. } => Some(config),
            _ => None,
        })
    }
}

/// Reads the state of an operation. Fails like a request for the resource or the binding: "gone" once it is removed.
pub(crate) struct ReadLastOperation {
    pub(crate) addon: String,
    /// Key or provider id of the resource.
    pub(crate) resource: String,
    pub(crate) binding: Option<String>,
    /// Id of the operation; the latest one if `None`.
    pub(crate) operation: Option<i64>,
}

impl Command<Engine> for ReadLastOperation {
    type Outcome = Result<OperationStatus, FailureKind>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Self::Outcome, LedgerError> {
        let Some(resource) = find_resource(db, &self.addon, &self.resource).await? else {
            return Ok(Err(FailureKind::Unknown));
        };
        if resource.state == State::Deprovisioned {
            return Ok(Err(FailureKind::Gone));
        }
        let binding = match &self.binding {
            None => None,
            Some(key) => match Binding::find(db, resource.id, key).await? {
                None => return Ok(Err(FailureKind::Unknown)),
                Some(binding) if binding.state == BindingState::Unbound => return Ok(Err(FailureKind::Gone)),
                Some(binding) => Some(binding.id),
            },
        };
        let Some(operation) = Operation::latest(db, resource.id, binding, self.operation).await? else {
            return Ok(Err(FailureKind::Unknown));
        };
        let (state, message) = match operation.state {
            OperationState::Open => {
                let progress = aad(&resource.addon, &resource.key, "progress");
                (Progress::InProgress, engine.open_text(&progress, operation.progress.as_deref())?)
            }
            OperationState::Parked | OperationState::Abandoned => (Progress::Failed(FailureKind::Unavailable), None),
            OperationState::Cancelled => (Progress::Failed(FailureKind::Gone), None),
            OperationState::Completed => match ended_reply(engine, db, &resource, &operation).await? {
                StoredReply::Failed { message, kind, .. } => (Progress::Failed(kind.into()), message),
                StoredReply::Provisioned { message, .. }
                | StoredReply::PlanChanged { message, .. }
                | StoredReply::Deprovisioned { message } => (Progress::Succeeded, message),
                StoredReply::Bound(_) => (Progress::Succeeded, None),
            },
        };
        let mut status = OperationStatus::new(operation.id, operation.kind.of_request(), state);
        status.message = message;
        Ok(Ok(status))
    }
}

async fn find_live(
    db: &mut Connection<'_>,
    addon: &str,
    id: &str,
) -> Result<Result<Resource, FailureKind>, LedgerError> {
    Ok(match find_resource(db, addon, id).await?.filter(|resource| resource.confirmed) {
        None => Err(FailureKind::Unknown),
        Some(resource) => match resource.state {
            State::Deprovisioned => Err(FailureKind::Gone),
            State::Refused | State::Parked => Err(FailureKind::Unknown),
            _ => Ok(resource),
        },
    })
}
