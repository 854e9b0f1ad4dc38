//! Readiness of resources that were pending when they were provisioned.

use std::time::Duration;

use maitre_core::{Job, ResourceId};

use super::context::Engine;
use super::job::EnqueueJob;
use super::operation::OperationKind;
use super::rows::{Lease, Operation, Resource, key_of};
use super::sealed::aad;
use super::stored_reply::{Readiness, StoredReply};
use super::transitions::bump_fence;
use crate::db::{Command, Connection, values};
use crate::error::LedgerError;

/// Kind of the jobs that ask the listener again about pending resources, which the ledger itself runs.
pub(crate) const READINESS_JOB: &str = "readiness";

/// Enqueues the job that asks about a resource that is provisioned with a pending reply. It runs before that reply is
/// recorded: if the process dies in between, the provision is repeated, and enqueues another one.
pub(crate) struct EnqueueCheck {
    pub(crate) lease: Lease,
    pub(crate) check_after: Duration,
}

impl Command<Engine> for EnqueueCheck {
    type Outcome = bool;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<bool, LedgerError> {
        let Lease { operation, addon, key, .. } = &self.lease;
        let Some(sealed) = Operation::get(db, *operation).await?.request else { return Ok(false) };
        let request = engine.open(&aad(addon, key, OperationKind::Provision.as_str()), &sealed)?;
        let job = Job::new(READINESS_JOB, format!("{key} {operation}"), request);
        let job = job.with_resource(ResourceId::from(key.as_str())).with_delay(self.check_after);
        EnqueueJob { addon: addon.clone(), job }.apply(engine, db).await
    }
}

/// Reads the readiness of a resource, and raises its fencing token for the next call.
pub(crate) struct BeginCheck {
    pub(crate) addon: String,
    pub(crate) resource: String,
}

/// State of a resource before the listener is asked about it.
pub(crate) enum Check {
    /// The reply of the provision is not recorded yet.
    Early,
    /// It is pending.
    Pending { fence: i64 },
    /// It is ready, with these config vars, or has failed: the marketplace may not have been notified.
    Ended(Option<Vec<(String, String)>>),
}

impl Command<Engine> for BeginCheck {
    /// `None` if the resource is not live.
    type Outcome = Option<Check>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Option<Check>, LedgerError> {
        use super::rules::State::{ChangingPlan, Provisioned, Provisioning};
        let Some(resource) = Resource::lock_by_key(db, &self.addon, &key_of(&self.resource)).await? else {
            return Ok(None);
        };
        match resource.state {
            Provisioning => return Ok(Some(Check::Early)),
            Provisioned | ChangingPlan => {}
            _ => return Ok(None),
        }
        let StoredReply::Provisioned { config, readiness, .. } = engine.reply_of(&resource)? else { return Ok(None) };
        Ok(Some(match readiness {
            None => Check::Ended(Some(config)),
            Some(Readiness::Failed(_)) => Check::Ended(None),
            Some(Readiness::Pending(_)) => {
                bump_fence(db, resource.id).await?;
                let select = "SELECT fence FROM maitre_resources WHERE id = $1";
                Check::Pending { fence: db.row(select, values![resource.id]).await?.number("fence")? }
            }
        }))
    }
}

/// Records that a pending resource is ready, with the values of this reply, or has failed. Returns its config vars.
pub(crate) struct EndCheck {
    pub(crate) addon: String,
    pub(crate) resource: String,
    /// The reply, or the listener's message for the customer.
    pub(crate) result: Result<StoredReply, Option<String>>,
}

impl Command<Engine> for EndCheck {
    /// `None` if the resource is not live, or no longer pending.
    type Outcome = Option<Vec<(String, String)>>;

    async fn apply(&self, engine: &Engine, db: &mut Connection<'_>) -> Result<Self::Outcome, LedgerError> {
        let resource = Resource::lock_by_key(db, &self.addon, &key_of(&self.resource)).await?;
        let Some(resource) = resource.filter(|resource| resource.state.is_live()) else { return Ok(None) };
        let reply = engine.reply_of(&resource)?;
        if !reply.is_pending() {
            return Ok(None);
        }
        let ended = match &self.result {
            Ok(ready) => reply.changed_by(ready).with_readiness(None),
            Err(message) => reply.with_readiness(Some(Readiness::Failed(message.clone()))),
        };
        let sealed = engine.seal_reply(&resource.addon, &resource.key, &ended);
        let update = "UPDATE maitre_resources SET reply = $2, updated_at = {now} WHERE id = $1";
        db.execute(update, values![resource.id, &sealed]).await?;
        Ok(match ended {
            StoredReply::Provisioned { config, .. } => Some(config),
            _ => None,
        })
    }
}
