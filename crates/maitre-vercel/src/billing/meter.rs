//! Metered usage.

use maitre_core::AccountId;
use serde::{Deserialize, Serialize};

use super::{jobs::JobKind, statement::StatementState, store::Change};
use crate::{
    models::{Amount, BillingItem, MetricKind, Period},
    platform::{Platform, PlatformError},
};

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

impl Platform {
    /// Records usage in the ledger. A worker reports it to Vercel hourly, and submits the invoice after the end of the
    /// period, once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-meter-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&database).await?;
    /// # let ledger = maitre_ledger::Ledger::open(&database).await?;
    /// use maitre_vercel::{Amount, Client, Period, Platform, Usage};
    ///
    /// let client = Client::builder("oac_lantern", "client secret").build()?;
    /// let platform = Platform::builder(client, ledger.store()).build();
    ///
    /// let (installation, march) = ("icfg_1".into(), Period::month_of(time::macros::datetime!(2026-03-04 0:00 UTC)));
    /// let requests = |thousands| Usage::new("ltn_1", "basic", "Requests", Amount::from_cents(2), thousands, "1,000");
    /// platform.meter(&installation, march, requests(40.0)).await?;
    /// platform.meter(&installation, march, requests(45.0)).await?; // the running total, not an increment
    /// let statement = platform.statement(&installation, march).await?.unwrap();
    /// assert_eq!(statement.total(), Amount::from_cents(90));
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`PlatformError::PeriodClosed`] if the invoice of the period is being sent or was sent, and an error if the
    /// ledger cannot be written.
    pub async fn meter(&self, installation: &AccountId, period: Period, usage: Usage) -> Result<(), PlatformError> {
        if self.read_statement(installation, period).await?.is_none() {
            // before the statement, so that a process that dies in between leaves none without a job
            self.enqueue_billing(JobKind::Usage, installation, period).await?;
        }
        let now = self.0.client.now();
        self.change_statement(installation, period, |statement| {
            if statement.state != StatementState::Open {
                return Err(PlatformError::PeriodClosed(period));
            }
            let changed = statement.set(usage.clone(), now);
            Ok(if changed { Change::Write(()) } else { Change::Keep(()) })
        })
        .await
    }
}
