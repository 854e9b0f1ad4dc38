//! Prices of plans.

use serde_json::{Map, Value, json};

/// Price of a plan.
///
/// ```
/// use maitre_core::catalog::{Price, PriceUnit};
///
/// let price = Price::monthly(2900, "USD");
/// assert_eq!((price.cents(), price.currency(), price.unit()), (2900, "USD", &PriceUnit::Month));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    cents: u64,
    currency: String,
    unit: PriceUnit,
}

/// Unit that a [`Price`] is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PriceUnit {
    /// One hour.
    Hour,
    /// One month.
    Month,
    /// Another unit, such as `1GB of messages over 20GB`.
    Other(String),
}

impl PriceUnit {
    fn as_str(&self) -> &str {
        match self {
            Self::Hour => "HOURLY",
            Self::Month => "MONTHLY",
            Self::Other(unit) => unit,
        }
    }

    fn parse(unit: &str) -> Self {
        match unit {
            "HOURLY" => Self::Hour,
            "MONTHLY" => Self::Month,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl Price {
    /// Creates a price in hundredths of a currency, which is a code such as `EUR`.
    pub fn new(cents: u64, currency: impl Into<String>, unit: PriceUnit) -> Self {
        Self { cents, currency: currency.into(), unit }
    }

    /// Creates a price for one month.
    pub fn monthly(cents: u64, currency: impl Into<String>) -> Self {
        Self::new(cents, currency, PriceUnit::Month)
    }

    /// Returns the price in hundredths of the currency.
    #[must_use]
    pub fn cents(&self) -> u64 {
        self.cents
    }

    /// Returns the code of the currency.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// Returns the unit.
    #[must_use]
    pub fn unit(&self) -> &PriceUnit {
        &self.unit
    }

    /// Returns the price as an entry of `metadata.costs`, the convention of Open Service Broker platforms.
    pub(super) fn to_cost(&self) -> Value {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 90 trillion; costs are JSON numbers")]
        let amount = self.cents as f64 / 100.0;
        json!({ "amount": { self.currency.to_lowercase(): amount }, "unit": self.unit.as_str() })
    }

    /// Reads the entries of `metadata.costs` that are prices.
    pub(super) fn from_metadata(metadata: &Map<String, Value>) -> Vec<Self> {
        let costs = metadata.get("costs").and_then(Value::as_array);
        costs.into_iter().flatten().flat_map(Self::from_cost).collect()
    }

    fn from_cost(cost: &Value) -> Vec<Self> {
        let (Some(amounts), Some(unit)) = (cost["amount"].as_object(), cost["unit"].as_str()) else {
            return Vec::new();
        };
        let prices = amounts.iter().filter_map(|(currency, amount)| {
            let cents = (amount.as_f64()? * 100.0).round();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
            let cents = (cents >= 0.0).then_some(cents as u64)?;
            Some(Self::new(cents, currency.to_uppercase(), PriceUnit::parse(unit)))
        });
        prices.collect()
    }
}
