//! Balances of prepaid plans.

use std::collections::{BTreeMap, BTreeSet};

use maitre_core::{AccountId, Failure, ResourceId};
use serde::{Deserialize, Serialize};

use crate::{
    models::{Amount, Balance, Balances, InvoiceState},
    platform::{Platform, PlatformError, store},
};

/// Attempts to write balances that other processes change at the same time.
const ATTEMPTS: usize = 100;

/// Balances of an installation in the ledger, with the invoices that they contain.
#[derive(Default, Serialize, Deserialize)]
struct Credits {
    invoices: BTreeSet<String>,
    /// By the vendor's id of the resource; empty for the installation.
    accounts: BTreeMap<String, CreditAccount>,
}

#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct CreditAccount {
    bought: u64,
    spent: u64,
}

impl Platform {
    /// Credits a paid invoice to the balances of its resources, or of the installation, once, and returns the balances. The
    /// invoice's id is recorded in the same write, so that a repetition, also by another process, changes nothing. For
    /// `Vercel::with_purchases`.
    ///
    /// # Errors
    /// Returns [`Failure::refused`] if the invoice is unknown or not paid, and [`Failure::unavailable`] if Vercel or the
    /// ledger does not answer.
    pub async fn credit(&self, installation: &AccountId, invoice: &str) -> maitre_core::Result<Balances> {
        if self.read_credits(installation).await?.0.invoices.contains(invoice) {
            return Ok(self.balances(installation).await?);
        }
        let paid = match self.api(installation).await?.invoice(invoice).await {
            Err(error) if error.is_not_found() => return Err(Failure::refused("This invoice does not exist.")),
            invoice => invoice?,
        };
        if paid.state != InvoiceState::Paid {
            return Err(Failure::refused("This invoice is not paid."));
        }
        let changed = self.change_credits(installation, |credits| {
            if !credits.invoices.insert(invoice.to_owned()) {
                return false;
            }
            for item in &paid.items {
                let resource = item.resource.clone().unwrap_or_default();
                credits.accounts.entry(resource).or_default().bought += item.total.cents();
            }
            true
        });
        Ok(changed.await?)
    }

    /// Records what a resource, or the installation, has spent so far: a running total, so it may be recorded again at any
    /// time. Returns the balances, which [`Api::report_balances`](crate::Api::report_balances) sends to Vercel.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-spend-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&database).await?;
    /// # let ledger = maitre_ledger::Ledger::open(&database).await?;
    /// use maitre_vercel::{Amount, Balance, Client, Platform, connect};
    ///
    /// let client = Client::new("oac_lantern", "client secret", connect().build()?)?;
    /// let platform = Platform::builder(client, ledger.store()).build();
    ///
    /// let installation = "icfg_1".into();
    /// for _ in 0..2 {
    ///     platform.spend(&installation, Some("ltn_1"), Amount::from_cents(250)).await?; // the running total, not an increment
    /// }
    /// let balances = platform.balances(&installation).await?.balances;
    /// assert_eq!(balances, [Balance::from_cents(0).with_resource("ltn_1")]); // nothing was bought
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the ledger cannot be written.
    pub async fn spend(
        &self,
        installation: &AccountId,
        resource: Option<&str>,
        total: Amount,
    ) -> Result<Balances, PlatformError> {
        self.change_credits(installation, |credits| {
            let account = credits.accounts.entry(resource.unwrap_or_default().to_owned()).or_default();
            let changed = account.spent != total.cents();
            account.spent = total.cents();
            changed
        })
        .await
    }

    /// Returns the balances of prepaid plans: that of the installation first, if it has one, then those of its resources.
    ///
    /// # Errors
    /// Returns an error if the ledger cannot be read.
    pub async fn balances(&self, installation: &AccountId) -> Result<Balances, PlatformError> {
        let (credits, _) = self.read_credits(installation).await?;
        Ok(self.balances_of(&credits))
    }

    fn balances_of(&self, credits: &Credits) -> Balances {
        let balances = credits.accounts.iter().map(|(resource, account)| {
            let balance = Balance::from_cents(account.bought.saturating_sub(account.spent));
            if resource.is_empty() { balance } else { balance.with_resource(resource) }
        });
        Balances::new(self.0.client.now(), balances)
    }

    async fn read_credits(&self, installation: &AccountId) -> Result<(Credits, i64), PlatformError> {
        let name = name(installation);
        let stored = self.0.store.read(&self.0.addon, &ResourceId::from(""), &name).await;
        let Some(stored) = stored.map_err(|failure| store(&failure))? else { return Ok((Credits::default(), 0)) };
        let credits = serde_json::from_slice(&stored.value)
            .map_err(|error| PlatformError::Store(format!("cannot parse the stored {name}: {error}")))?;
        Ok((credits, stored.version))
    }

    /// Changes the balances. The change is repeated if another process was faster.
    async fn change_credits(
        &self,
        installation: &AccountId,
        change: impl Fn(&mut Credits) -> bool,
    ) -> Result<Balances, PlatformError> {
        for _ in 0..ATTEMPTS {
            let (mut credits, version) = self.read_credits(installation).await?;
            if !change(&mut credits) {
                return Ok(self.balances_of(&credits));
            }
            let value = serde_json::to_vec(&credits).map_err(|error| PlatformError::Store(error.to_string()))?;
            let (empty, name) = (ResourceId::from(""), name(installation));
            let written = self.0.store.write(&self.0.addon, &empty, &name, &value, version).await;
            if written.map_err(|failure| store(&failure))? {
                return Ok(self.balances_of(&credits));
            }
        }
        Err(PlatformError::Store(format!("the balances of {installation} are changed too often")))
    }
}

fn name(installation: &AccountId) -> String {
    format!("credits {installation}")
}
