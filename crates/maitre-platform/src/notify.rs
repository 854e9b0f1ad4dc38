//! Config vars that change, by the vendor or at the end of an accepted operation.

use std::{error, time::Duration};

use maitre_core::{AddonId, BoxFuture, Completion, ConfigVars, Failure, ResourceId, Result};
use maitre_http::CallError;
use tokio::time::timeout;

use crate::{connection::Connection, error::Error, resources::check_addon};

/// Timeout of one notification. The resource stays locked meanwhile, which delays a deprovision.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(10);

/// Time after which an accepted operation is reported to an operator, at marketplaces that document no limit.
pub const COMPLETION_DEADLINE: Duration = Duration::from_hours(24);

/// Access to a marketplace whose API changes config vars.
pub trait SendsConfig: Connection {
    /// Changes these config vars of a resource, and keeps the others.
    ///
    /// # Errors
    /// Returns an error if a call fails.
    fn send_config(
        &self,
        resource: &ResourceId,
        config: &ConfigVars,
    ) -> impl Future<Output = std::result::Result<(), Error<Self::CallError>>> + Send;
}

/// Changes these config vars, also in the reply to a repeated provision.
///
/// # Errors
/// Returns an error if a call fails, or the ledger cannot be written.
pub async fn set_config<P: SendsConfig>(
    platform: &P,
    resource: &ResourceId,
    config: &ConfigVars,
) -> std::result::Result<(), Error<P::CallError>> {
    platform.send_config(resource, config).await?;
    let updated = platform.store().update_config(platform.addon(), resource, config).await;
    updated.map(drop).map_err(|failure| Error::store(&failure))
}

/// Reports the result of an accepted operation to a marketplace whose API changes config vars only.
pub fn notify<'a, P: SendsConfig>(
    platform: &'a P,
    addon: &'a AddonId,
    resource: &'a ResourceId,
    completion: Completion<'a>,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        check_addon(platform.addon(), addon)?;
        match completion {
            Completion::Provisioned(config) | Completion::PlanChanged(config) | Completion::Rotated(config)
                if !config.is_empty() =>
            {
                notify_in_time(platform.send_config(resource, config)).await
            }
            _ => {
                tracing::debug!(%resource, ?completion, "the marketplace's API has no call for this result");
                Ok(())
            }
        }
    })
}

/// Waits for a notification, for at most 10 s.
///
/// # Errors
/// Returns a failure for the ledger.
pub async fn notify_in_time<E>(notification: impl Future<Output = std::result::Result<(), Error<E>>>) -> Result<()>
where
    E: AsRef<CallError> + error::Error + Send + Sync + 'static,
{
    let result = timeout(NOTIFY_TIMEOUT, notification).await;
    let result = result.map_err(|_| Failure::unavailable("the marketplace did not answer within 10 s"))?;
    result.map_err(Error::into_failure)
}
