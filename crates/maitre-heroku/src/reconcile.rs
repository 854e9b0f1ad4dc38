//! Heroku's list of installs, for the comparison with the ledger.

use maitre_platform::{Listed, Reconcile};

use crate::{api::Install, error::Error, platform::Platform};

/// Requires the [password](crate::PlatformBuilder::password).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("maitre-reconcile-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let database = format!("sqlite://{}", folder.join("maitre.db").display());
/// # maitre_ledger::Ledger::migrate(&database).await?;
/// # let ledger = maitre_ledger::Ledger::open(&database).await?;
/// # let heroku = maitre_testkit::platform::Platform::new("lantern", "s3cr3t-example", "client secret");
/// # let api = heroku.serve().await?;
/// # let clock = heroku.clock().clone();
/// # let client = maitre_heroku::Client::builder("client secret").base_url(api.url()).clock(move || clock.now()).build()?;
/// # let store = ledger.store();
/// # use maitre_core::{AddonId, Backend, Provision, doctest::Widgets};
/// # let request = Provision::new(AddonId::new("heroku", "lantern"), "1bd1a5c1-7a0e-4c4d-9d7b-5f0c2f2b8a11", "basic");
/// # let listener = ledger.wrap(Widgets);
/// # listener.provision(request).await.unwrap();
/// use maitre_heroku::{Platform, Reconcile};
///
/// let platform = Platform::builder("lantern", client, store).password("s3cr3t-example").build();
/// assert!(platform.reconcile().await?.persisting.is_none());
/// # heroku.clock().advance(std::time::Duration::from_hours(24));
/// // a day later, in any process
/// let persisting = platform.reconcile().await?.persisting.unwrap();
/// assert_eq!(persisting.missing_at_marketplace.len(), 1); // the deprovision request was lost
/// for action in platform.deprovision_missing(&persisting, &listener, false).await {
///     println!("{action:?}");
/// }
/// # ledger.close().await;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
impl Reconcile for Platform {
    async fn listed(&self) -> Result<Vec<Listed>, Error> {
        let installs = self.0.client.installs(self.0.addon.slug(), &self.password()?).all().await?;
        Ok(installs.into_iter().map(listed).collect())
    }
}

fn listed(install: Install) -> Listed {
    let plan = install.plan.map(|plan| match plan.split_once(':') {
        Some((_, bare)) => bare.to_owned(),
        None => plan,
    });
    Listed::by_key(install.uuid, install.provider_id, plan)
}
