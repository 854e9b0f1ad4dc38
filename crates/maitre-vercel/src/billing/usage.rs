//! Reports of the usage so far.

use std::time::Duration;

use maitre_core::AccountId;

use super::{jobs::JobKind, statement::StatementState};
use crate::{
    models::Period,
    platform::{Platform, PlatformError},
};

impl Platform {
    /// Reports the usage of a period. Returns the pause until the next report, or `None` if the period has ended: then the
    /// invoice is due.
    pub(super) async fn report_usage(
        &self,
        installation: &AccountId,
        period: Period,
    ) -> Result<Option<Duration>, PlatformError> {
        let now = self.0.client.now();
        let invoice_at = period.end + self.0.invoice_delay;
        let statement = self.statement(installation, period).await?;
        if statement.as_ref().is_some_and(|statement| statement.state != StatementState::Open) {
            return Ok(None);
        }
        if now >= invoice_at {
            self.enqueue_billing(JobKind::Invoice, installation, period).await?;
            return Ok(None);
        }
        // a report of the time after the period would be refused
        if let Some(statement) = statement.filter(|_| period.start <= now && now < period.end) {
            let reported = self.api(installation).await?.report_usage(&statement.interim(now)).await;
            match reported {
                Err(error) if error.is_installation_gone() => {
                    tracing::warn!(%installation, "the installation is gone, so its usage is no longer reported");
                }
                // the invoice has its own job, which must not depend on a report for display
                Err(error) if !error.is_transient() => tracing::error!(%installation, %error, "usage was refused"),
                reported => reported?,
            }
        }
        let left = Duration::try_from(invoice_at - now).unwrap_or_default();
        Ok(Some(left.min(self.0.usage_interval).max(Duration::from_secs(1))))
    }
}
