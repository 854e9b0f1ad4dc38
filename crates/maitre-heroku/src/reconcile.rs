//! Comparison of the ledger with Heroku, and the deprovisioning of resources that Heroku no longer bills.

use std::collections::BTreeMap;

use maitre_core::{Backend, Deprovision, FailureKind, Outcome, ResourceId};

use crate::{error::Error, platform::Platform, reconciliation::Reconciliation};

/// Number of resources that one read of the ledger returns.
const PAGE_SIZE: u32 = 500;

/// Action that [`Platform::deprovision_missing`] took for a resource, or would take.
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
        uuid: String,
        /// Cause of the delay.
        cause: String,
    },
}

impl Platform {
    /// Compares the ledger with Heroku's list of installs. Changes nothing. Requires the
    /// [password](crate::PlatformBuilder::password).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("maitre-compare-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
    /// # maitre_ledger::Ledger::migrate(&database).await?;
    /// # let ledger = maitre_ledger::Ledger::open(&database).await?;
    /// # let heroku = maitre_testkit::platform::Platform::new("lantern", "s3cr3t-example", "client secret");
    /// # let api = heroku.serve().await?;
    /// # let client = maitre_heroku::Client::builder("client secret").base_url(api.url()).build()?;
    /// # let store = ledger.store();
    /// # let install = heroku.install("basic");
    /// use maitre_heroku::Platform;
    ///
    /// let platform = Platform::builder("lantern", client, store).password("s3cr3t-example").build();
    /// let today = platform.compare().await?;
    /// assert_eq!(today.missing_in_ledger[0].uuid, install.uuid(), "the provision request was lost");
    /// let json = serde_json::to_string(&today)?; // keep it for tomorrow
    /// # drop(json);
    /// # ledger.close().await;
    /// # std::fs::remove_dir_all(folder)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::MissingPassword`] if the platform has no password, and an error if Heroku's list or the ledger
    /// cannot be read.
    pub async fn compare(&self) -> Result<Reconciliation, Error> {
        let password = self.password()?;
        let (mut ledger, mut after): (BTreeMap<_, _>, Option<String>) = (BTreeMap::new(), None);
        loop {
            let page = self.0.store.resources(&self.0.addon, after.as_deref(), PAGE_SIZE).await;
            let page = page.map_err(|failure| Error::store(&failure))?;
            let Some(last) = page.last() else { break };
            after = Some(last.resource.as_str().to_owned());
            ledger.extend(page.into_iter().map(|summary| (summary.resource.as_str().to_owned(), summary)));
        }
        let heroku = self.0.client.installs(self.0.addon.slug(), &password).all().await?;
        let heroku = heroku.into_iter().map(|install| (install.uuid.clone(), install)).collect();
        Ok(Reconciliation::new(self.now(), &ledger, &heroku))
    }

    /// Deprovisions the resources that are [persistently](Reconciliation::persisting_since) missing at Heroku, with the
    /// add-on's own listener, as if Heroku had requested it. If `apply` is `false`, only returns what it would do.
    ///
    /// Resources that are missing in the ledger are left unchanged: without a grant they cannot be provisioned, and only
    /// their customer or Heroku's support can remove them.
    ///
    /// ```
    /// # use std::error::Error;
    /// # use maitre_core::Backend;
    /// # use maitre_heroku::{Platform, Reconciliation};
    /// # async fn run(platform: Platform, addon: impl Backend, yesterday: Reconciliation) -> Result<(), Box<dyn Error>> {
    /// let persisting = platform.compare().await?.persisting_since(&yesterday)?;
    /// for action in platform.deprovision_missing(&persisting, &addon, false).await {
    ///     println!("{action:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn deprovision_missing(
        &self,
        persisting: &Reconciliation,
        listener: &impl Backend,
        apply: bool,
    ) -> Vec<Action> {
        let mut actions = Vec::with_capacity(persisting.missing_at_heroku.len());
        for difference in &persisting.missing_at_heroku {
            let uuid = difference.uuid.clone();
            actions.push(if apply { self.deprovision(uuid, listener).await } else { Action::WouldDeprovision(uuid) });
        }
        actions
    }

    async fn deprovision(&self, uuid: String, listener: &impl Backend) -> Action {
        let request = Deprovision::new(self.0.addon.clone(), ResourceId::from(uuid.as_str()));
        match listener.deprovision(request).await {
            Ok(Outcome::Done(_)) => Action::Deprovisioned(uuid),
            Ok(_) => Action::Pending { uuid, cause: "the deprovision continues in the background".to_owned() },
            Err(failure) if matches!(failure.kind(), FailureKind::Gone | FailureKind::Unknown) => {
                Action::Deprovisioned(uuid)
            }
            Err(failure) => {
                let cause = failure.cause().unwrap_or_else(|| format!("{:?}", failure.kind()));
                Action::Pending { uuid, cause }
            }
        }
    }
}
