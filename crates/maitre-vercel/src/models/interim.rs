use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{item::BillingItem, period::Period, timestamp};

/// Running totals of the current period, for display.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InterimBilling {
    /// Time of the report.
    pub timestamp: OffsetDateTime,
    /// End of the day that is reported: within the period, and at most 24 hours ago.
    pub eod: OffsetDateTime,
    /// Period.
    pub period: Period,
    /// Costs of the usage so far.
    pub items: Vec<BillingItem>,
    /// Usage so far.
    pub usage: Vec<UsageMetric>,
}

impl InterimBilling {
    /// Creates a report at this time.
    #[must_use]
    pub fn new(period: Period, now: OffsetDateTime) -> Self {
        let eod = now.clamp(period.start, period.end);
        Self { timestamp: now, eod, period, items: Vec::new(), usage: Vec::new() }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "timestamp": timestamp::text(self.timestamp),
            "eod": timestamp::text(self.eod),
            "period": self.period,
            "billing": { "items": self.items },
            "usage": self.usage,
        })
    }
}

/// Kind of a usage metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MetricKind {
    /// Value at a time, such as stored data.
    Total,
    /// Sum over the period, such as requests.
    Interval,
    /// Rate, such as bytes per second.
    Rate,
}

/// Usage of the current period.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UsageMetric {
    /// The vendor's id of the resource.
    #[serde(rename = "resourceId", skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Name for the customer.
    pub name: String,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: MetricKind,
    /// Unit, such as `GB`.
    pub units: String,
    /// Value of the day.
    pub day_value: f64,
    /// Value of the period so far.
    pub period_value: f64,
    /// Value that the plan includes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_value: Option<f64>,
}

impl UsageMetric {
    /// Creates a metric without values.
    pub fn new(name: impl Into<String>, kind: MetricKind, units: impl Into<String>) -> Self {
        Self {
            resource: None,
            name: name.into(),
            kind,
            units: units.into(),
            day_value: 0.0,
            period_value: 0.0,
            plan_value: None,
        }
    }
}

/// Balances of prepaid plans.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Balances {
    /// Time of the report.
    #[serde(with = "timestamp")]
    pub timestamp: OffsetDateTime,
    /// Balances of the resources and of the installation.
    pub balances: Vec<Balance>,
}

impl Balances {
    /// Creates a report at this time.
    pub fn new(timestamp: OffsetDateTime, balances: impl IntoIterator<Item = Balance>) -> Self {
        Self { timestamp, balances: balances.into_iter().collect() }
    }
}

/// Balance of a prepaid plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Balance {
    /// The vendor's id of the resource; the installation's balance without it.
    #[serde(rename = "resourceId", skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Remaining credit for the customer, such as `2,000 tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<String>,
    /// Name of the credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_label: Option<String>,
    /// Value in cents.
    pub currency_value_in_cents: u64,
}

impl Balance {
    /// Creates the balance of the installation.
    #[must_use]
    pub fn from_cents(cents: u64) -> Self {
        Self { resource: None, credit: None, name_label: None, currency_value_in_cents: cents }
    }

    /// Sets the resource, by the vendor's id.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }
}
