use maitre_http::open_enum;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    amount::Amount,
    item::{BillingItem, Discount},
    period::Period,
    timestamp,
};

open_enum! {
    /// State of an invoice.
    pub enum InvoiceState {
        /// Not complete.
        Draft = "draft",
        /// Received.
        Pending = "pending",
        /// Will be sent to the customer.
        Scheduled = "scheduled",
        /// Sent to the customer.
        Invoiced = "invoiced",
        /// Paid.
        Paid = "paid",
        /// A payment has failed; Vercel tries again.
        NotPaid = "notpaid",
        /// Not paid within 15 days.
        Overdue = "overdue",
        /// A refund has been requested.
        RefundRequested = "refund_requested",
        /// Refunded.
        Refunded = "refunded",
    }
}

/// Result that a test invoice shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TestResult {
    /// Paid.
    Paid,
    /// Not paid.
    NotPaid,
    /// Overdue.
    Overdue,
}

/// Invoice to be submitted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewInvoice {
    /// Period.
    pub period: Period,
    /// Date, within the period. Defaults to its end.
    pub invoice_date: OffsetDateTime,
    /// Items.
    pub items: Vec<BillingItem>,
    /// Discounts.
    pub discounts: Vec<Discount>,
    /// The vendor's id of the invoice, unique per installation.
    pub external_id: Option<String>,
    /// Text for the customer.
    pub memo: Option<String>,
    /// Whether it is the last invoice of an installation whose deletion is pending.
    pub is_final: bool,
    /// Result, if the invoice is a test.
    pub test: Option<TestResult>,
}

impl NewInvoice {
    /// Creates an invoice for a period.
    pub fn new(period: Period, items: impl IntoIterator<Item = BillingItem>) -> Self {
        Self {
            period,
            invoice_date: period.end,
            items: items.into_iter().collect(),
            discounts: Vec::new(),
            external_id: None,
            memo: None,
            is_final: false,
            test: None,
        }
    }

    /// Sets the vendor's id of the invoice. Vercel refuses a second invoice with the same id.
    #[must_use]
    pub fn with_external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// Adds discounts.
    #[must_use]
    pub fn with_discounts(mut self, discounts: impl IntoIterator<Item = Discount>) -> Self {
        self.discounts.extend(discounts);
        self
    }

    /// Sets the text for the customer.
    #[must_use]
    pub fn with_memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = Some(memo.into());
        self
    }

    /// Marks the last invoice of an installation whose deletion is pending.
    #[must_use]
    pub fn with_final(mut self, is_final: bool) -> Self {
        self.is_final = is_final;
        self
    }

    /// Makes it a test with this result.
    #[must_use]
    pub fn with_test(mut self, result: TestResult) -> Self {
        self.test = Some(result);
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut body = json!({
            "invoiceDate": timestamp::text(self.invoice_date),
            "period": self.period,
            "items": self.items,
        });
        if !self.discounts.is_empty() {
            body["discounts"] = json!(self.discounts);
        }
        if let Some(id) = &self.external_id {
            body["externalId"] = json!(id);
        }
        if let Some(memo) = &self.memo {
            body["memo"] = json!(memo);
        }
        if self.is_final {
            body["final"] = json!(true);
        }
        if let Some(result) = self.test {
            let result = match result {
                TestResult::Paid => "paid",
                TestResult::NotPaid => "notpaid",
                TestResult::Overdue => "overdue",
            };
            body["test"] = json!({ "result": result });
        }
        body
    }
}

/// Vercel's answer to an invoice.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SubmittedInvoice {
    /// Vercel's id of the invoice.
    pub invoice_id: Option<String>,
    /// Whether it is a test.
    #[serde(default)]
    pub test: bool,
}

/// Invoice as Vercel knows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Invoice {
    /// Vercel's id.
    pub invoice_id: String,
    /// State.
    pub state: InvoiceState,
    /// Total.
    pub total: Amount,
    /// Period.
    pub period: Period,
    /// Items.
    #[serde(default)]
    pub items: Vec<BillingItem>,
    /// The vendor's id.
    pub external_id: Option<String>,
    /// Reason of the refund.
    pub refund_reason: Option<String>,
    /// Amount of the refund.
    pub refund_total: Option<Amount>,
}
