use maitre_http::CallError;
use reqwest::Method;
use serde_json::json;

use super::Api;
use crate::{
    error::Error,
    models::{Amount, Balances, InterimBilling, Invoice, NewInvoice, SubmittedInvoice},
};

/// Usage, invoices, refunds and balances. The [outbox](crate::Platform::meter) sends usage and invoices reliably.
///
/// Every method returns an [`Error`] if the call fails.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_vercel::{Amount, BillingItem, Client, InvoiceState, NewInvoice, Period, connect};
/// use time::macros::datetime;
///
/// # let vercel = maitre_testkit::vercel::Platform::new("oac_lantern", "client secret");
/// # let server = vercel.serve().await?;
/// # let installation = vercel.new_installation();
/// let client = Client::new("oac_lantern", "client secret", connect().url(server.url()).build()?)?;
/// let api = client.installation(installation.id(), installation.access_token().into());
///
/// let march = Period::new(datetime!(2026-03-01 0:00 UTC), datetime!(2026-04-01 0:00 UTC));
/// let item = BillingItem::new("basic", "Basic", Amount::from_cents(450), 2.0, "GB").with_resource("ltn_1");
/// let submitted = api.submit_invoice(&NewInvoice::new(march, [item]).with_external_id("2026-03")).await?;
/// let id = submitted.invoice_id.unwrap();
///
/// let invoice = api.invoice(&id).await?;
/// assert_eq!((invoice.state, invoice.total), (InvoiceState::Pending, Amount::from_cents(900)));
/// # vercel.set_invoice_state(&installation, &id, "paid");
/// api.refund(&id, "outage on 3 March", Amount::from_cents(450)).await?;
/// # assert!(vercel.problems().is_empty());
/// # Ok(())
/// # }
/// ```
impl Api {
    /// `POST …/billing`: reports the running totals of the current period, for display.
    pub async fn report_usage(&self, interim: &InterimBilling) -> Result<(), Error> {
        Ok(self.call(Method::POST, &["billing"]).body(interim.to_json()).repeatable().send().await?)
    }

    /// `POST …/billing/invoices`: submits an invoice. It is not repeated after a failure of unknown outcome: submit it again
    /// with the same external id, and a [conflict](Error::is_conflict) means that it has been received.
    pub async fn submit_invoice(&self, invoice: &NewInvoice) -> Result<SubmittedInvoice, Error> {
        Ok(self.call(Method::POST, &["billing", "invoices"]).body(invoice.to_json()).read().await?)
    }

    /// `GET …/billing/invoices/{id}`: returns an invoice.
    pub async fn invoice(&self, invoice: &str) -> Result<Invoice, Error> {
        Ok(self.get(&["billing", "invoices", invoice]).read().await?)
    }

    /// `POST …/billing/invoices/{id}/actions`: refunds a paid invoice, completely or in part. It is not repeated after a
    /// failure of unknown outcome: compare with the [invoice](Self::invoice) first.
    pub async fn refund(&self, invoice: &str, reason: &str, total: Amount) -> Result<(), Error> {
        let body = json!({ "action": "refund", "reason": reason, "total": total });
        Ok(self.call(Method::POST, &["billing", "invoices", invoice, "actions"]).body(body).send().await?)
    }

    /// `POST …/billing/balance`: reports the balances of prepaid plans.
    pub async fn report_balances(&self, balances: &Balances) -> Result<(), Error> {
        let body = serde_json::to_value(balances).map_err(|error| CallError::unsendable("POST balance", error))?;
        Ok(self.call(Method::POST, &["billing", "balance"]).body(body).repeatable().send().await?)
    }

    /// `POST …/billing/finalize`: ends the 24 hours for final invoices after an uninstall. The access token is invalid
    /// afterwards.
    pub async fn finalize(&self) -> Result<(), Error> {
        Ok(self.call(Method::POST, &["billing", "finalize"]).send().await?)
    }
}
