use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use maitre_core::{AddonId, PlatformStore, Replaceable, Secret};
use maitre_platform::Connection;
use time::OffsetDateTime;

use crate::{
    api::{self, Client, Event},
    error::Error,
    rotate::DynRotate,
};

/// Type-erased webhook event handler of the vendor.
pub(crate) type EventHandler =
    Arc<dyn Fn(Event) -> Pin<Box<dyn Future<Output = maitre_core::Result<()>> + Send>> + Send + Sync>;

/// Access to Heroku's API for one add-on, with one token per resource stored in a ledger.
///
/// Passed to the ledger, a platform exchanges grants, reports the results of asynchronous operations and runs rotations
/// and webhook events. The vendor's own code calls Heroku's API with it, see [`call`](Self::call). Clones share one
/// configuration.
///
/// ```no_run
/// # async fn run(store: std::sync::Arc<dyn maitre_core::PlatformStore>) -> Result<(), Box<dyn std::error::Error>> {
/// use maitre_heroku::{Client, Platform};
///
/// let client = Client::builder(std::env::var("HEROKU_CLIENT_SECRET")?).build()?;
/// let platform = Platform::builder("lantern", client, store).build();
///
/// let lantern = "7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21".into();
/// let add_on = platform.call(&lantern, |api| async move { api.add_on("7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21").await }).await?;
/// println!("the add-on's name is {}", add_on.name);
/// # Ok(())
/// # }
/// ```
///
/// `Debug` prints the add-on only.
#[derive(Clone)]
pub struct Platform(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) addon: AddonId,
    pub(crate) client: Client,
    pub(crate) store: Arc<dyn PlatformStore>,
    pub(crate) password: Replaceable<Option<Secret>>,
    pub(crate) replacement_grants: bool,
    pub(crate) event_handler: Option<EventHandler>,
    pub(crate) rotation: Option<Arc<dyn DynRotate>>,
    pub(crate) overlap: Duration,
}

impl Platform {
    /// Returns the id of the add-on.
    #[must_use]
    pub fn addon(&self) -> &AddonId {
        &self.0.addon
    }

    /// Returns the API client, which has no token.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) fn password(&self) -> Result<Secret, Error> {
        Option::clone(&self.0.password.get()).ok_or(Error::MissingPassword)
    }
}

impl Connection for Platform {
    type CallError = api::Error;

    fn addon(&self) -> &AddonId {
        &self.0.addon
    }

    fn store(&self) -> &dyn PlatformStore {
        &*self.0.store
    }

    fn now(&self) -> OffsetDateTime {
        self.0.client.now()
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("addon", &self.0.addon).finish_non_exhaustive()
    }
}
