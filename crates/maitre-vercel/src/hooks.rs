//! Implementation of the port that a ledger calls.

use std::time::Duration;

use maitre_core::{
    AddonId, BoxFuture, Completion, ConfigVars, Failure, Job, JobOutcome, PlatformHooks, Provision, ResourceId, Result,
};

use crate::{
    api::Api,
    error::Error,
    models::{Notification, ResourceStatus, ResourceUpdate, Secrets},
    platform::{Platform, PlatformError},
};

/// Time after which an accepted operation is reported to an operator. Vercel has no limit.
const COMPLETION_DEADLINE: Duration = Duration::from_hours(24);

impl PlatformHooks for Platform {
    fn provision_job(&self, _: &Provision) -> Option<Job> {
        None
    }

    fn run_job<'a>(&'a self, addon: &'a AddonId, job: &'a Job) -> BoxFuture<'a, Result<JobOutcome>> {
        Box::pin(async move {
            self.check_addon(addon)?;
            self.run_billing_job(&job.kind, &job.payload).await
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
            // Vercel may not have received the answer with the resource yet
            let is_new = matches!(completion, Completion::Provisioned(_) | Completion::ProvisionFailed(_));
            match self.report(resource, completion).await {
                Err(PlatformError::Vercel(error)) if is_new && error.is_not_found() => {
                    Err(Failure::unavailable("Vercel does not know the resource"))
                }
                // a resource that is gone at Vercel needs no report
                Err(PlatformError::Vercel(error)) if error.is_installation_gone() || error.is_not_found() => Ok(()),
                result => result.map_err(PlatformError::into_failure),
            }
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

    /// Reports the result of an operation that was accepted.
    async fn report(
        &self,
        resource: &ResourceId,
        completion: Completion<'_>,
    ) -> std::result::Result<(), PlatformError> {
        if let Completion::Deprovisioned = completion {
            return Ok(()); // Vercel has removed the resource when it was accepted
        }
        let (api, id) = self.api_of(resource).await?;
        let result = match completion {
            Completion::Provisioned(config) => report_ready(&api, &id, config).await,
            Completion::PlanChanged(config) => {
                replace_named(&api, &id, config).await?;
                api.resource_updated(&id).await
            }
            Completion::Rotated(config) => replace_named(&api, &id, config).await,
            Completion::ProvisionFailed(_) => {
                let notice = Notification::error("The resource could not be created.");
                let update = ResourceUpdate::new().status(ResourceStatus::Error).notification(notice);
                api.update_resource(&id, update).await
            }
            Completion::RotationFailed(_) => {
                let notice = Notification::error("The secrets could not be rotated. The old ones are still valid.");
                api.update_resource(&id, ResourceUpdate::new().notification(notice)).await
            }
            // Vercel then reads the current state
            _ => api.resource_updated(&id).await,
        };
        Ok(result?)
    }
}

/// Reports that a pending resource is ready, with its secrets in the same call.
async fn report_ready(api: &Api, id: &str, config: &ConfigVars) -> std::result::Result<(), Error> {
    let update = ResourceUpdate::new().status(ResourceStatus::Ready);
    let update = if config.is_empty() { update } else { update.secrets(&Secrets::from(config)) };
    api.update_resource(id, update).await
}

/// Replaces the secrets that are named, and keeps the others.
async fn replace_named(api: &Api, id: &str, config: &ConfigVars) -> std::result::Result<(), Error> {
    if config.is_empty() {
        return Ok(());
    }
    let secrets = Secrets::partial(config.iter().map(|(name, value)| (name, value.clone())));
    api.set_secrets(id, &secrets).await
}
