//! Deprovisions at a later time.

use maitre_core::{Backend, Deprovision, Deprovisioned, Job, Listener, Outcome, Provision, Result};

use super::listener::DurableListener;
use crate::engine::{CancelJobs, EnqueueJob, Find, State, key_of};

/// Kind of the jobs that deprovision a resource, which the ledger itself runs.
pub(super) const DEPROVISION_JOB: &str = "deprovision";

impl<L: Listener> DurableListener<L> {
    /// Records the deprovision of a live resource as a job for later. Returns `None` if there is no live resource.
    pub(super) async fn schedule(&self, request: &Deprovision) -> Result<Option<Outcome<Deprovisioned>>> {
        let addon = request.addon.to_string();
        let find = Find { addon: addon.clone(), id: request.resource.to_string() };
        let found = self.ledger.db.read(find).await?.filter(|found| found.state != State::Deprovisioned);
        let Some(found) = found else { return Ok(None) };
        // each request has a job of its own; the earliest one takes effect
        let job = Job::new(DEPROVISION_JOB, uuid::Uuid::new_v4().to_string(), Vec::new());
        let job = job.with_resource(found.key).with_delay(request.delay);
        self.ledger.db.write(EnqueueJob { addon, job }).await?;
        Ok(Some(Outcome::Done(Deprovisioned::new())))
    }

    /// Runs a recorded deprovision. If it is accepted or fails, its operation continues.
    pub(super) async fn run_scheduled(&self, addon: maitre_core::AddonId, job: &Job) -> Result<()> {
        let Some(resource) = job.resource.clone() else { return Ok(()) };
        Backend::deprovision(self, Deprovision::new(addon, resource)).await.map(drop)
    }

    /// Cancels the recorded deprovisions of a resource that the marketplace provisions again.
    pub(super) async fn cancel_scheduled(&self, request: &Provision) -> Result<()> {
        let resource = key_of(request.resource.as_str()).into_owned();
        let cancel = CancelJobs { addon: request.addon.to_string(), kind: DEPROVISION_JOB, resource };
        Ok(self.ledger.db.write(cancel).await?)
    }
}
