//! The port by which a ledger follows Heroku.

use std::time::Duration;

use maitre_core::{
    AddonId, BoxFuture, Completion, Failure, Job, JobOutcome, PlatformHooks, Provision, ResourceId, Result,
};
use tokio::time::timeout;

use crate::{Platform, grant::GRANT, rotation::ROTATION, webhooks::EVENT};

/// As long as Heroku is being told something, nobody else can have the resource, and a removal must not wait for long.
const TELLING_TAKES: Duration = Duration::from_secs(10);

/// How long Heroku waits for the end of what was answered 202 (its article on asynchronous provisioning).
const PATIENCE: Duration = Duration::from_hours(12);

impl PlatformHooks for Platform {
    fn provision_job(&self, provision: &Provision) -> Option<Job> {
        self.exchange_of(provision)
    }

    fn run_job<'a>(&'a self, addon: &'a AddonId, errand: &'a Job) -> BoxFuture<'a, Result<JobOutcome>> {
        Box::pin(async move {
            self.is_of(addon)?;
            match (errand.kind.as_str(), &errand.resource) {
                (GRANT, Some(resource)) => {
                    self.exchange(resource, &errand.payload).await.map(|()| JobOutcome::Complete)
                }
                (ROTATION, Some(resource)) => self.rotation_step(resource, &errand.payload).await,
                (EVENT, _) => self.handle_event(&errand.payload).await.map(|()| JobOutcome::Complete),
                (kind, _) => Err(Failure::refused(format!("there is no errand of the kind {kind} at Heroku"))),
            }
        })
    }

    fn notify<'a>(
        &'a self,
        addon: &'a AddonId,
        resource: &'a ResourceId,
        outcome: Completion<'a>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.is_of(addon)?;
            let told = timeout(TELLING_TAKES, self.tell_outcome(resource, outcome)).await;
            let told = told.map_err(|_| Failure::unavailable("Heroku takes too long"))?;
            told.map_err(crate::Error::into_failure)
        })
    }

    fn completion_deadline(&self) -> Duration {
        PATIENCE
    }
}

impl Platform {
    fn is_of(&self, addon: &AddonId) -> maitre_core::Result<()> {
        let own = &self.0.addon;
        if addon == own {
            return Ok(());
        }
        Err(Failure::refused(format!("this platform is that of {own}, not of {addon}: give each add-on its own")))
    }
}
