//! Lines of a statement.

use serde::{Deserialize, Serialize};

use crate::models::{Amount, BillingItem, MetricKind};

/// Running total of a resource's usage in a period: what it costs so far, by one plan.
///
/// It replaces the earlier total of the same resource, plan and name, so it may be recorded again at any time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// The vendor's id of the resource.
    pub resource: String,
    /// Id of the plan.
    pub plan: String,
    /// Name for the customer, such as `Requests`.
    pub name: String,
    /// Price of one unit.
    pub price: Amount,
    /// Units in the period so far.
    pub quantity: f64,
    /// Unit, such as `GB`.
    pub units: String,
    pub(super) kind: UsageKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum UsageKind {
    Interval,
    Total,
}

impl From<UsageKind> for MetricKind {
    fn from(kind: UsageKind) -> Self {
        match kind {
            UsageKind::Interval => Self::Interval,
            UsageKind::Total => Self::Total,
        }
    }
}

impl Usage {
    /// Creates the usage of a resource that adds up over the period, such as requests.
    pub fn new(
        resource: impl Into<String>,
        plan: impl Into<String>,
        name: impl Into<String>,
        price: Amount,
        quantity: f64,
        units: impl Into<String>,
    ) -> Self {
        Self {
            resource: resource.into(),
            plan: plan.into(),
            name: name.into(),
            price,
            quantity,
            units: units.into(),
            kind: UsageKind::Interval,
        }
    }

    /// Creates the price of a plan that does not depend on usage.
    ///
    /// ```
    /// use maitre_vercel::{Amount, Usage};
    ///
    /// let basic = Usage::flat("ltn_1", "basic", "Basic", Amount::from_cents(900));
    /// assert_eq!((basic.quantity, basic.units.as_str()), (1.0, "month"));
    /// ```
    pub fn flat(resource: impl Into<String>, plan: impl Into<String>, name: impl Into<String>, price: Amount) -> Self {
        Self { kind: UsageKind::Total, ..Self::new(resource, plan, name, price, 1.0, "month") }
    }

    /// Whether the other usage replaces this one.
    pub(super) fn is_same_line(&self, other: &Self) -> bool {
        (&self.resource, &self.plan, &self.name) == (&other.resource, &other.plan, &other.name)
    }

    pub(super) fn item(&self) -> BillingItem {
        BillingItem::new(&self.plan, &self.name, self.price, self.quantity, &self.units).with_resource(&self.resource)
    }
}
