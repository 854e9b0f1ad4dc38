//! Refunds of the outbox.

use maitre_core::AccountId;

use super::{jobs::JobKind, statement::Refund, store::Change};
use crate::{
    models::{Amount, InvoiceState, Period},
    platform::{Platform, PlatformError},
};

impl Platform {
    /// Refunds the paid invoice of a period, completely or in part, once. A worker requests it from Vercel; a repetition with
    /// another reason or total changes nothing.
    ///
    /// # Errors
    /// Returns [`PlatformError::NoInvoice`] if the invoice does not exist or its id is not known yet, and an error if
    /// the ledger cannot be written.
    pub async fn refund(
        &self,
        installation: &AccountId,
        period: Period,
        reason: &str,
        total: Amount,
    ) -> Result<(), PlatformError> {
        self.change_statement(installation, period, |statement| {
            if statement.invoice_id.is_none() {
                return Err(PlatformError::NoInvoice(period));
            }
            if statement.refund.is_some() {
                return Ok(Change::Keep(()));
            }
            statement.refund = Some(Refund { reason: reason.to_owned(), total });
            Ok(Change::Write(()))
        })
        .await?;
        self.enqueue_billing(JobKind::Refund, installation, period).await
    }

    /// Requests the refund, unless Vercel has received it.
    pub(super) async fn send_refund(&self, installation: &AccountId, period: Period) -> Result<(), PlatformError> {
        let statement = self.statement(installation, period).await?.ok_or(PlatformError::NoInvoice(period))?;
        let (Some(invoice), Some(refund), false) = (statement.invoice_id, statement.refund, statement.refunded) else {
            return Ok(());
        };
        let api = self.api(installation).await?;
        let is_received =
            |state: &InvoiceState| matches!(state, InvoiceState::RefundRequested | InvoiceState::Refunded);
        if !is_received(&api.invoice(&invoice).await?.state) {
            match api.refund(&invoice, &refund.reason, refund.total).await {
                // another process may have requested it meanwhile
                Err(error) if error.is_conflict() && is_received(&api.invoice(&invoice).await?.state) => {}
                requested => requested?,
            }
        }
        self.change_statement(installation, period, |statement| {
            statement.refunded = true;
            Ok(Change::Write(()))
        })
        .await
    }
}
