//! Comparison of the ledger with a marketplace, and the deprovisioning of resources that it no longer bills.

use std::collections::BTreeMap;

use maitre_core::{AddonId, Backend, Deprovision, FailureKind, Outcome, ResourceId};

use crate::{
    connection::Connection,
    error::Error,
    listed::{Listed, keyed},
    reconciliation::Reconciliation,
    sightings::{self, Reconciled},
};

/// Number of resources that one read of the ledger returns.
const PAGE_SIZE: u32 = 500;

/// Action that [`Reconcile::deprovision_missing`] took for a resource, or would take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// The resource with this key would be deprovisioned.
    WouldDeprovision(String),
    /// The resource with this key was deprovisioned.
    Deprovisioned(String),
    /// The deprovision was requested and has not completed.
    #[non_exhaustive]
    Pending {
        /// Key of the resource.
        key: String,
        /// Cause of the delay.
        cause: String,
    },
}

/// Access to a marketplace that lists the resources which it bills.
pub trait Reconcile: Connection {
    /// Lists all resources at the marketplace.
    ///
    /// # Errors
    /// Returns an error if the list cannot be read completely.
    fn listed(&self) -> impl Future<Output = Result<Vec<Listed>, Error<Self::CallError>>> + Send;

    /// Compares the ledger with the marketplace's list. Changes nothing.
    ///
    /// # Errors
    /// Returns an error if the list or the ledger cannot be read.
    fn compare(&self) -> impl Future<Output = Result<Reconciliation, Error<Self::CallError>>> + Send {
        async move {
            let (mut ledger, mut after): (BTreeMap<_, _>, Option<String>) = (BTreeMap::new(), None);
            loop {
                let page = self.store().resources(self.addon(), after.as_deref(), PAGE_SIZE).await;
                let page = page.map_err(|failure| Error::store(&failure))?;
                let Some(last) = page.last() else { break };
                after = Some(last.resource.as_str().to_owned());
                ledger.extend(page.into_iter().map(|summary| (summary.resource.as_str().to_owned(), summary)));
            }
            let marketplace = keyed(self.listed().await?, &ledger);
            Ok(Reconciliation::new(self.now(), &ledger, &marketplace))
        }
    }

    /// Compares the ledger with the marketplace's list, as [`compare`](Self::compare) does, stores the comparison in the
    /// ledger, and compares it with those that were stored before. It changes no resource.
    ///
    /// # Errors
    /// Returns an error if the list or the ledger cannot be read or written.
    fn reconcile(&self) -> impl Future<Output = Result<Reconciled, Error<Self::CallError>>> + Send {
        async move { sightings::record(self.store(), self.addon(), self.compare().await?).await }
    }

    /// Deprovisions the resources that are [persistently](Reconciliation::persisting_since) missing at the marketplace, with
    /// the add-on's own listener, as if the marketplace had requested it. If `apply` is `false`, only returns what it would
    /// do.
    ///
    /// Resources that are missing in the ledger are left unchanged: only their customer or the marketplace's support can
    /// remove them.
    fn deprovision_missing<B: Backend>(
        &self,
        persisting: &Reconciliation,
        listener: &B,
        apply: bool,
    ) -> impl Future<Output = Vec<Action>> + Send {
        async move {
            let mut actions = Vec::with_capacity(persisting.missing_at_marketplace.len());
            for difference in &persisting.missing_at_marketplace {
                let key = difference.key.clone();
                actions.push(if apply {
                    deprovision(self.addon(), key, listener).await
                } else {
                    Action::WouldDeprovision(key)
                });
            }
            actions
        }
    }
}

async fn deprovision(addon: &AddonId, key: String, listener: &impl Backend) -> Action {
    let request = Deprovision::new(addon.clone(), ResourceId::from(key.as_str()));
    match listener.deprovision(request).await {
        Ok(Outcome::Done(_)) => Action::Deprovisioned(key),
        Ok(_) => Action::Pending { key, cause: "the deprovision continues in the background".to_owned() },
        Err(failure) if matches!(failure.kind(), FailureKind::Gone | FailureKind::Unknown) => {
            Action::Deprovisioned(key)
        }
        Err(failure) => {
            let cause = failure.cause().unwrap_or_else(|| format!("{:?}", failure.kind()));
            Action::Pending { key, cause }
        }
    }
}
