//! Billing at Vercel: the price of each resource's plan is recorded in the ledger, whose worker reports it and submits an
//! invoice after each month, or when the customer leaves.

use std::sync::Arc;
use std::time::Duration;

use maitre::catalog::Catalog;
use maitre::platforms::vercel::{Amount, Period, Platform, PlatformError, Usage};
use maitre::{Failure, Hooks, ListenerCall, ResourceId};
use time::OffsetDateTime;

use crate::store::Store;

/// Time between two records of all resources, which a new month needs.
const INTERVAL: Duration = Duration::from_hours(1);

/// Resources that are read at a time.
const PAGE: u32 = 100;

/// Hooks that record what a call has changed.
#[derive(Clone)]
pub(super) struct Billing {
    pub(super) platform: Platform,
    pub(super) ledger: maitre::Ledger,
    pub(super) store: Store,
    pub(super) catalog: Arc<Catalog>,
}

impl Hooks for Billing {
    async fn after(&self, call: &ListenerCall) {
        let recorded = match (call.method, &call.resource, &call.account) {
            ("provision" | "plan_change", Some(resource), _) => self.meter(resource).await,
            // the final invoice
            ("close_account", _, Some(account)) => {
                match self.platform.close_period(account, this_month(), false).await {
                    Err(PlatformError::NoInvoice(_)) => Ok(()),
                    closed => closed.map_err(Failure::from),
                }
            }
            _ => Ok(()),
        };
        if let Err(failure) = recorded {
            tracing::error!(%failure, method = call.method, "cannot record the price of a plan");
        }
    }
}

impl Billing {
    /// Records all resources, now and then again and again.
    pub(super) async fn run(self) {
        loop {
            if let Err(failure) = self.meter_all().await {
                tracing::error!(%failure, "cannot record the prices of all plans");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    async fn meter_all(&self) -> maitre::Result<()> {
        let (store, mut after) = (self.ledger.store(), None::<String>);
        loop {
            let page = store.resources(self.platform.addon(), after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.resource.to_string());
            for resource in page.iter().filter(|resource| resource.lives) {
                self.meter(&resource.resource).await?;
            }
        }
    }

    /// Records the price of a resource's plan for this month: a running total, so a repetition changes nothing.
    async fn meter(&self, resource: &ResourceId) -> maitre::Result<()> {
        let addon = self.platform.addon();
        let Some(sold) = self.store.find(&addon.to_string(), resource.as_str()).await? else { return Ok(()) };
        let Some(account) = self.ledger.store().account_of(addon, resource).await? else { return Ok(()) };
        let offer = self.catalog.find_named(None, &sold.plan);
        let Some(price) = offer.and_then(|offer| offer.plan.prices().into_iter().next()) else { return Ok(()) };
        let usage = Usage::flat(resource.as_str(), &sold.plan, "Tally", Amount::from_cents(price.cents()));
        Ok(self.platform.meter(&account.id, this_month(), usage).await?)
    }
}

fn this_month() -> Period {
    Period::month_of(OffsetDateTime::now_utc())
}
