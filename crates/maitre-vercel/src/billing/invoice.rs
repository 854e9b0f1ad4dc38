//! Invoices of the outbox.

use maitre_core::AccountId;

use super::{
    jobs::JobKind,
    statement::{Statement, StatementState},
    store::Change,
};
use crate::{
    models::{NewInvoice, Period},
    platform::{Platform, PlatformError},
};

impl Platform {
    /// Submits the invoice of a period now, without waiting for its end, for example after an uninstall: usage can no longer
    /// be metered. `is_final` marks the last invoice of an installation whose deletion is pending.
    ///
    /// # Errors
    /// Returns [`PlatformError::NoInvoice`] if nothing was metered, and an error if the ledger cannot be written.
    pub async fn close_period(
        &self,
        installation: &AccountId,
        period: Period,
        is_final: bool,
    ) -> Result<(), PlatformError> {
        if self.read_statement(installation, period).await?.is_none() {
            return Err(PlatformError::NoInvoice(period));
        }
        self.change_statement(installation, period, |statement| {
            if statement.state != StatementState::Open || statement.is_final == is_final {
                return Ok(Change::Keep(()));
            }
            statement.is_final = is_final;
            Ok(Change::Write(()))
        })
        .await?;
        self.enqueue_billing(JobKind::Invoice, installation, period).await
    }

    /// Records Vercel's id of an invoice, from the event `marketplace.invoice.created` with its external id. The id is
    /// unknown if the process died between Vercel's answer and the commit. Returns whether the invoice is one of the outbox.
    ///
    /// # Errors
    /// Returns an error if the ledger cannot be written.
    pub async fn record_invoice_id(
        &self,
        installation: &AccountId,
        external_id: &str,
        invoice_id: &str,
    ) -> Result<bool, PlatformError> {
        let Some(period) = Period::from_external_id(external_id) else { return Ok(false) };
        if self.read_statement(installation, period).await?.is_none() {
            return Ok(false);
        }
        self.change_statement(installation, period, |statement| {
            if statement.invoice_id.is_some() {
                return Ok(Change::Keep(true));
            }
            statement.invoice_id = Some(invoice_id.to_owned());
            Ok(Change::Write(true))
        })
        .await
    }

    /// Submits the invoice of a period, once.
    pub(super) async fn send_invoice(&self, installation: &AccountId, period: Period) -> Result<(), PlatformError> {
        let (begun, statement) = self.begin_sending(installation, period).await?;
        if begun == Begun::Complete {
            return Ok(());
        }
        let invoice = NewInvoice::new(period, statement.items())
            .with_external_id(period.external_id())
            .with_final(statement.is_final);
        let api = match self.api(installation).await {
            Err(PlatformError::NoToken(_)) => {
                return self.end_sending(installation, period, StatementState::Lost, None).await;
            }
            api => api?,
        };
        match api.submit_invoice(&invoice).await {
            Ok(submitted) => self.end_sending(installation, period, StatementState::Sent, submitted.invoice_id).await,
            Err(error) if error.is_conflict() && begun == Begun::Again => {
                self.end_sending(installation, period, StatementState::Sent, None).await
            }
            Err(error) if error.is_conflict() => {
                // unless another process has sent it meanwhile
                self.end_sending(installation, period, StatementState::Disputed, None).await?;
                let statement = self.statement(installation, period).await?;
                match statement.map(|statement| statement.state) {
                    Some(StatementState::Sent) => Ok(()),
                    _ => Err(error.into()),
                }
            }
            Err(error) if error.is_installation_gone() => {
                self.end_sending(installation, period, StatementState::Lost, None).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Records that the invoice may be sent from now on. An invoice of nothing is not sent.
    async fn begin_sending(
        &self,
        installation: &AccountId,
        period: Period,
    ) -> Result<(Begun, Statement), PlatformError> {
        self.change_statement(installation, period, |statement| {
            let begun = match statement.state {
                StatementState::Open if statement.total().cents() == 0 => {
                    statement.state = StatementState::Sent;
                    return Ok(Change::Write((Begun::Complete, statement.clone())));
                }
                StatementState::Open => {
                    statement.state = StatementState::Sending;
                    return Ok(Change::Write((Begun::First, statement.clone())));
                }
                StatementState::Sending => Begun::Again,
                StatementState::Sent | StatementState::Lost | StatementState::Disputed => Begun::Complete,
            };
            Ok(Change::Keep((begun, statement.clone())))
        })
        .await
    }

    /// Records the result, unless another process has recorded one.
    async fn end_sending(
        &self,
        installation: &AccountId,
        period: Period,
        state: StatementState,
        invoice_id: Option<String>,
    ) -> Result<(), PlatformError> {
        if state == StatementState::Lost {
            tracing::error!(%installation, period = period.external_id(), "the installation was gone before its invoice");
        }
        self.change_statement(installation, period, |statement| {
            let mut changed = false;
            // another process that sent it knows better than a conflict
            let is_disputed = statement.state == StatementState::Disputed && state == StatementState::Sent;
            if statement.state == StatementState::Sending || is_disputed {
                (statement.state, changed) = (state, true);
            }
            if statement.invoice_id.is_none() && invoice_id.is_some() {
                (statement.invoice_id, changed) = (invoice_id.clone(), true);
            }
            Ok(if changed { Change::Write(()) } else { Change::Keep(()) })
        })
        .await
    }
}

/// State of the invoice before it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    /// It was never sent.
    First,
    /// It may have been sent.
    Again,
    /// It is complete.
    Complete,
}
