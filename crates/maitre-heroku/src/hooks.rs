//! Implementation of the port that a ledger calls.

use std::time::Duration;

use maitre_core::{
    AddonId, BoxFuture, Completion, Failure, Job, JobOutcome, PlatformHooks, Provision, ResourceId, Result,
};
use tokio::time::timeout;

use crate::{Error, job::JobKind, platform::Platform};

/// Timeout of one notification. The resource stays locked meanwhile, which delays a deprovision.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(10);

/// Time after which Heroku gives up an operation that was answered 202 (its article on asynchronous provisioning).
const COMPLETION_DEADLINE: Duration = Duration::from_hours(12);

impl PlatformHooks for Platform {
    fn provision_job(&self, provision: &Provision) -> Option<Job> {
        self.exchange_job(provision)
    }

    fn run_job<'a>(&'a self, addon: &'a AddonId, job: &'a Job) -> BoxFuture<'a, Result<JobOutcome>> {
        Box::pin(async move {
            self.check_addon(addon)?;
            let kind: JobKind = job.kind.parse().map_err(|unknown| Failure::refused(format!("{unknown}")))?;
            match (kind, &job.resource) {
                (JobKind::Grant, Some(resource)) => {
                    self.exchange_grant(resource, &job.payload).await.map(|()| JobOutcome::Complete)
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
            self.check_addon(addon)?;
            let result = timeout(NOTIFY_TIMEOUT, self.report(resource, completion)).await;
            let result = result.map_err(|_| Failure::unavailable("Heroku did not answer within 10 s"))?;
            result.map_err(Error::into_failure)
        })
    }

    fn completion_deadline(&self) -> Duration {
        COMPLETION_DEADLINE
    }
}

impl Platform {
    fn check_addon(&self, addon: &AddonId) -> Result<()> {
        let own = self.addon();
        if addon == own {
            return Ok(());
        }
        Err(Failure::refused(format!("this platform belongs to {own}, not to {addon}: build one for each add-on")))
    }
}
