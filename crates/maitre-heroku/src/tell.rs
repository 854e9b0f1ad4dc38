//! Telling Heroku what came of what was answered 202 (Heroku's article on asynchronous provisioning).

use maitre_core::{Completion, ConfigVars, ResourceId};

use crate::{Error, Platform, api::AddOnState};

impl Platform {
    pub(crate) async fn tell_outcome(&self, resource: &ResourceId, outcome: Completion<'_>) -> Result<(), Error> {
        match outcome {
            Completion::Provisioned(config) => self.provisioned(resource, config).await,
            Completion::PlanChanged(config) => self.set_config(resource, config).await,
            Completion::ProvisionFailed(_) => self.deprovisioned(resource).await,
            Completion::Deprovisioned => match self.deprovisioned(resource).await {
                // what is in use as far as Heroku knows cannot be ended by this call
                Err(Error::Heroku(error)) if error.is_invalid() => Err(Error::TooEarly(resource.clone())),
                result => result,
            },
            outcome => {
                // a plan change has no call to end it with
                tracing::warn!(%resource, ?outcome, "Heroku was told that it is done later, and cannot be told that it is not");
                Ok(())
            }
        }
    }

    /// The config first, then the end: that releases the vars, and restarts the customer's app once.
    async fn provisioned(&self, resource: &ResourceId, config: &ConfigVars) -> Result<(), Error> {
        let add_on = self.call(resource, |api| async move { api.add_on(resource.as_str()).await }).await?;
        if add_on.state == AddOnState::Provisioned {
            return Ok(()); // by a try whose record was lost, or by Heroku's own repetition of the order
        }
        self.set_config(resource, config).await?;
        self.call(resource, |api| async move { api.mark_provisioned(resource.as_str()).await }).await.map(drop)
    }

    /// What Heroku does not know any more is removed there.
    async fn deprovisioned(&self, resource: &ResourceId) -> Result<(), Error> {
        match self.call(resource, |api| async move { api.mark_deprovisioned(resource.as_str()).await }).await {
            Err(Error::Heroku(error)) if error.is_not_found() => Ok(()),
            // the token ends with the add-on
            Err(Error::Heroku(error)) if error.is_unauthorized() => {
                tracing::warn!(%resource, %error, "Heroku takes this resource's token no more: it has been removed there");
                Ok(())
            }
            result => result.map(drop),
        }
    }
}
