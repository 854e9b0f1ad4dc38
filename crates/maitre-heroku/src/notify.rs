//! Reports the results of asynchronous operations (Heroku's article on asynchronous provisioning).

use maitre_core::{Completion, ConfigVars, ResourceId};

use crate::{api::AddOnState, error::Error, platform::Platform};

impl Platform {
    /// Reports the result of an operation that was answered 202.
    pub(crate) async fn report(&self, resource: &ResourceId, completion: Completion<'_>) -> Result<(), Error> {
        match completion {
            Completion::Provisioned(config) => self.report_provisioned(resource, config).await,
            Completion::PlanChanged(config) => self.set_config(resource, config).await,
            Completion::ProvisionFailed(_) => self.report_deprovisioned(resource).await,
            Completion::Deprovisioned => match self.report_deprovisioned(resource).await {
                // Heroku refuses the call with 422 while it considers the add-on to be in use.
                Err(Error::Call(error)) if error.is_invalid() => Err(Error::NotYetDeprovisioning(resource.clone())),
                result => result,
            },
            completion => {
                // Heroku's API has no call to fail a plan change.
                tracing::warn!(
                    %resource,
                    ?completion,
                    "cannot report this result: Heroku's API has no call for it, and Heroku assumes success"
                );
                Ok(())
            }
        }
    }

    /// Sets the config vars and then ends the provision. The second call releases the config vars, so that the customer's
    /// app restarts only once.
    async fn report_provisioned(&self, resource: &ResourceId, config: &ConfigVars) -> Result<(), Error> {
        let add_on = self.call(resource, |api| async move { api.add_on(resource.as_str()).await }).await?;
        if add_on.state == AddOnState::Provisioned {
            // An earlier attempt succeeded and could not be stored, or a retry by Heroku was answered 200.
            return Ok(());
        }
        self.set_config(resource, config).await?;
        self.call(resource, |api| async move { api.mark_provisioned(resource.as_str()).await }).await.map(drop)
    }

    /// Marks the add-on as deprovisioned. Succeeds if Heroku does not know the add-on, as it was deleted there.
    async fn report_deprovisioned(&self, resource: &ResourceId) -> Result<(), Error> {
        match self.call(resource, |api| async move { api.mark_deprovisioned(resource.as_str()).await }).await {
            Err(Error::Call(error)) if error.is_not_found() => Ok(()),
            // The token expires together with the add-on.
            Err(Error::Call(error)) if error.is_unauthorized() => {
                tracing::warn!(%resource, %error, "Heroku rejected the token (401): the add-on was deleted");
                Ok(())
            }
            result => result.map(drop),
        }
    }
}
