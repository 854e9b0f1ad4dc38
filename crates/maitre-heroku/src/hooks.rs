//! Implementation of the port that a ledger calls.

use std::time::Duration;

use maitre_core::{
    AddonId, BoxFuture, Completion, Failure, Job, JobOutcome, PlatformHooks, Provision, ResourceId, Result,
};
use maitre_platform::{check_addon, notify_in_time, run_exchange};

use crate::{job::JobKind, platform::Platform};

/// Time after which Heroku gives up an operation that was answered 202 (its article on asynchronous provisioning).
const COMPLETION_DEADLINE: Duration = Duration::from_hours(12);

impl PlatformHooks for Platform {
    fn provision_job(&self, provision: &Provision) -> Option<Job> {
        self.exchange_job(provision)
    }

    fn run_job<'a>(&'a self, addon: &'a AddonId, job: &'a Job) -> BoxFuture<'a, Result<JobOutcome>> {
        Box::pin(async move {
            check_addon(self.addon(), addon)?;
            let kind: JobKind = job.kind.parse().map_err(|unknown| Failure::refused(format!("{unknown}")))?;
            match (kind, &job.resource) {
                (JobKind::Grant, Some(resource)) => {
                    run_exchange(self, resource, &job.payload).await.map(|()| JobOutcome::Complete)
                }
                (JobKind::Rotation, Some(resource)) => self.run_rotation_step(resource, &job.payload).await,
                (JobKind::Event, _) => self.handle_event(&job.payload).await.map(|()| JobOutcome::Complete),
                (JobKind::Grant | JobKind::Rotation, None) => {
                    Err(Failure::refused(format!("a job of the kind `{}` needs a resource", kind.as_str())))
                }
            }
        })
    }

    fn notify<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        completion: Completion<'a>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            check_addon(self.addon(), addon)?;
            notify_in_time(self.report(resource, completion)).await
        })
    }

    fn completion_deadline(&self) -> Duration {
        COMPLETION_DEADLINE
    }
}
