use serde::{Deserialize, Serialize};

use super::amount::Amount;

/// Item of an invoice: a quantity of something, by a plan's price.
///
/// ```
/// use maitre_vercel::{Amount, BillingItem};
///
/// let item = BillingItem::new("basic", "Storage", Amount::from_cents(450), 2.0, "GB").with_resource("ltn_1");
/// assert_eq!(item.total, Amount::from_cents(900));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BillingItem {
    /// Id of the plan.
    #[serde(rename = "billingPlanId")]
    pub plan: String,
    /// Name for the customer.
    pub name: String,
    /// Price of one unit.
    pub price: Amount,
    /// Number of units.
    pub quantity: f64,
    /// Unit, such as `GB`.
    pub units: String,
    /// Price of the quantity.
    pub total: Amount,
    /// The vendor's id of the resource.
    #[serde(rename = "resourceId", skip_serializing_if = "Option::is_none", default)]
    pub resource: Option<String>,
    /// Further text for the customer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub details: Option<String>,
}

impl BillingItem {
    /// Creates an item. Its total is the price times the quantity, rounded to cents.
    pub fn new(
        plan: impl Into<String>,
        name: impl Into<String>,
        price: Amount,
        quantity: f64,
        units: impl Into<String>,
    ) -> Self {
        Self {
            plan: plan.into(),
            name: name.into(),
            price,
            quantity,
            units: units.into(),
            total: price.times(quantity),
            resource: None,
            details: None,
        }
    }

    /// Sets the resource, by the vendor's id.
    #[must_use]
    pub fn with_resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Sets further text for the customer.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }
}

/// Discount of an invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Discount {
    /// Id of the plan.
    #[serde(rename = "billingPlanId")]
    pub plan: String,
    /// Name for the customer.
    pub name: String,
    /// Amount that is deducted.
    pub amount: Amount,
    /// The vendor's id of the resource.
    #[serde(rename = "resourceId", skip_serializing_if = "Option::is_none", default)]
    pub resource: Option<String>,
}

impl Discount {
    /// Creates a discount.
    pub fn new(plan: impl Into<String>, name: impl Into<String>, amount: Amount) -> Self {
        Self { plan: plan.into(), name: name.into(), amount, resource: None }
    }
}
