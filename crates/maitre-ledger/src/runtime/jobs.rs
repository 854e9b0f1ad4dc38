//! Runs jobs, beside a provision or for a worker.

use std::future::pending;

use maitre_core::{Failure, FailureKind, JobOutcome, Listener, Result};
use tokio::runtime::Handle;
use tracing::Instrument;

use super::accounts::NOTICE_JOB;
use super::heartbeat::{LeaseOutcome, under_lease};
use super::listener::DurableListener;
use super::scheduled::DEPROVISION_JOB;
use crate::engine::{ClaimJob, CompleteJob, JobFailure, JobRef, READINESS_JOB, RenewJobLease, addon_id};

/// Jobs that need no marketplace's API.
const OWN_JOBS: &[&str] = &[NOTICE_JOB, DEPROVISION_JOB, READINESS_JOB];

impl<L: Listener> DurableListener<L> {
    /// Runs a job in a task, beside the provision with which it was enqueued.
    pub(super) fn spawn_job(&self, job: JobRef) {
        let this = self.clone();
        let run = async move {
            if let Err(failure) = this.run_job(job).await {
                tracing::info!(?failure, "job failed, will be retried");
            }
        };
        drop(Handle::try_current().map(|runtime| runtime.spawn(run.in_current_span())));
    }

    /// Runs a job, if it is due and no process runs it.
    pub(super) async fn run_job(&self, job: JobRef) -> Result<()> {
        let only = if self.platform.is_none() { Some(OWN_JOBS) } else { None };
        let Some(claimed) = self.ledger.db.write(ClaimJob { job, only }).await? else { return Ok(()) };
        let _running = self.ledger.running.enter();
        let addon = addon_id(&claimed.addon)?;
        let span = tracing::info_span!("job", id = claimed.id, kind = claimed.job.kind, addon = claimed.addon);
        let job = claimed.job.clone();
        let this = self.clone();
        let work = async move {
            match (&*job.kind, &this.platform) {
                (NOTICE_JOB, _) => this.run_notice(addon, &job).await.map(|()| JobOutcome::Complete),
                (DEPROVISION_JOB, _) => this.run_scheduled(addon, &job).await.map(|()| JobOutcome::Complete),
                (READINESS_JOB, _) => this.check_readiness(addon, &job).await,
                (_, Some(platform)) => platform.run_job(&addon, &job).await,
                (_, None) => Err(Failure::unavailable("no platform hooks configured")),
            }
        };
        let renewal = || RenewJobLease(claimed.clone());
        let result = match under_lease(&self.ledger, renewal, pending(), work).instrument(span).await {
            LeaseOutcome::Stopped | LeaseOutcome::Overtaken => return Ok(()), // the lease will expire
            LeaseOutcome::Lost => Err(JobFailure { error: "lease lost".to_owned(), permanent: false }),
            LeaseOutcome::Finished(Ok(outcome)) => Ok(outcome),
            // the resource of the job no longer exists
            LeaseOutcome::Finished(Err(failure))
                if matches!(failure.kind(), FailureKind::Gone | FailureKind::Unknown) =>
            {
                Ok(JobOutcome::Complete)
            }
            LeaseOutcome::Finished(Err(failure)) => {
                Err(JobFailure { permanent: failure.kind() != FailureKind::Unavailable, error: error_of(&failure) })
            }
        };
        self.ledger.db.write(CompleteJob { claimed, result }).await?;
        Ok(())
    }
}

fn error_of(failure: &Failure) -> String {
    failure.cause().or_else(|| failure.message().map(ToOwned::to_owned)).unwrap_or_default()
}
