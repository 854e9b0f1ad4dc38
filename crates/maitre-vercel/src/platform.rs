use std::{error, fmt, sync::Arc, time::Duration};

use maitre_core::{AccountId, AddonId, Failure, PlatformStore, ResourceId};

use crate::{api::Api, client::Client, error::Error, models::Period};

/// Default time between two reports of usage.
const USAGE_INTERVAL: Duration = Duration::from_hours(1);

/// Longest time between two reports of usage: Vercel asks for one a day.
const MAX_USAGE_INTERVAL: Duration = Duration::from_hours(24);

/// Access to Vercel's API for one integration, with the access tokens that a ledger has recorded with the installations.
///
/// Passed to the ledger, a platform reports the results of accepted operations, and sends usage, invoices and refunds from
/// its outbox; see [`meter`](Self::meter). The vendor's own code calls Vercel's API with [`api`](Self::api). Clones share
/// one configuration. `Debug` prints the add-on only.
#[derive(Clone)]
pub struct Platform(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) addon: AddonId,
    pub(crate) client: Client,
    pub(crate) store: Arc<dyn PlatformStore>,
    pub(crate) usage_interval: Duration,
    pub(crate) invoice_delay: Duration,
}

impl Platform {
    /// Starts a platform for the integration of this client. The store is the ledger's.
    pub fn builder(client: Client, store: Arc<dyn PlatformStore>) -> PlatformBuilder {
        let addon = AddonId::new("vercel", client.0.client_id.as_str());
        let (usage_interval, invoice_delay) = (USAGE_INTERVAL, Duration::ZERO);
        PlatformBuilder(Inner { addon, client, store, usage_interval, invoice_delay })
    }

    /// Returns the id of the add-on.
    #[must_use]
    pub fn addon(&self) -> &AddonId {
        &self.0.addon
    }

    /// Returns the API of an installation.
    ///
    /// # Errors
    /// Returns [`PlatformError::NoToken`] if the ledger has no access token of this installation: it is unknown or gone.
    pub async fn api(&self, installation: &AccountId) -> Result<Api, PlatformError> {
        let account = self.0.store.account(&self.0.addon, installation).await.map_err(|failure| store(&failure))?;
        let token = account.and_then(|account| account.credentials);
        let token = token.ok_or_else(|| PlatformError::NoToken(installation.clone()))?;
        Ok(self.0.client.installation(installation.as_str(), token))
    }

    /// Returns the API of a resource's installation, and the id by which Vercel knows the resource: the vendor's.
    pub(crate) async fn api_of(&self, resource: &ResourceId) -> Result<(Api, String), PlatformError> {
        let Inner { addon, store: ledger, client, .. } = &*self.0;
        let account = ledger.account_of(addon, resource).await.map_err(|failure| store(&failure))?;
        let account = account.ok_or_else(|| PlatformError::NoInstallation(resource.clone()))?;
        let token = account.credentials.ok_or_else(|| PlatformError::NoToken(account.id.clone()))?;
        let id = self.vendors_id(resource).await?.unwrap_or_else(|| resource.to_string());
        Ok((client.installation(account.id.as_str(), token), id))
    }

    /// Returns the vendor's id of a resource. The store lists resources by their keys, so the page begins before the key.
    async fn vendors_id(&self, resource: &ResourceId) -> Result<Option<String>, PlatformError> {
        const PAGE: u32 = 100;
        let key = resource.as_str();
        let mut after = key.char_indices().last().map_or("", |(last, _)| &key[..last]).to_owned();
        loop {
            let page = self.0.store.resources(&self.0.addon, Some(&after), PAGE).await;
            let page = page.map_err(|failure| store(&failure))?;
            if let Some(found) = page.iter().find(|found| found.resource == *resource) {
                return Ok(found.provider_id.clone());
            }
            match page.last() {
                Some(last) if last.resource.as_str() < key => last.resource.as_str().clone_into(&mut after),
                _ => return Ok(None),
            }
        }
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("addon", &self.0.addon).finish_non_exhaustive()
    }
}

/// Builder of a [`Platform`].
#[must_use = "call build() to get the platform"]
pub struct PlatformBuilder(Inner);

impl PlatformBuilder {
    /// Sets the id of the add-on in the ledger. Defaults to `vercel` and the client id.
    pub fn addon(mut self, addon: AddonId) -> Self {
        self.0.addon = addon;
        self
    }

    /// Sets the time between two reports of usage, at most 24 h. Defaults to one hour.
    pub fn usage_interval(mut self, interval: Duration) -> Self {
        self.0.usage_interval = interval.min(MAX_USAGE_INTERVAL);
        self
    }

    /// Sets the time between the end of a period and its invoice, for usage that is metered late. Defaults to none.
    pub fn invoice_delay(mut self, delay: Duration) -> Self {
        self.0.invoice_delay = delay;
        self
    }

    /// Builds the platform.
    #[must_use]
    pub fn build(self) -> Platform {
        Platform(Arc::new(self.0))
    }
}

impl fmt::Debug for PlatformBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformBuilder").field("addon", &self.0.addon).finish_non_exhaustive()
    }
}

/// Error of a platform.
///
/// In a listener `?` converts it into [`Failure::unavailable`], like any other error.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlatformError {
    /// The ledger has no access token of this installation: it is unknown or gone.
    NoToken(AccountId),
    /// The ledger does not know the installation of this resource.
    NoInstallation(ResourceId),
    /// Vercel answered with an error, or did not answer.
    Vercel(Error),
    /// The invoice of this period is being sent or was sent, so the usage cannot change.
    PeriodClosed(Period),
    /// The invoice of this period does not exist, or Vercel's id of it is not known yet.
    NoInvoice(Period),
    /// Too many processes change the same period at the same time.
    Contended(Period),
    /// The ledger cannot be read or written; contains the cause.
    Store(String),
}

/// Converts a failure of the ledger.
pub(crate) fn store(failure: &Failure) -> PlatformError {
    PlatformError::Store(failure.cause().unwrap_or_else(|| format!("{:?}", failure.kind())))
}

impl PlatformError {
    /// Classifies the error for a ledger: retry later, gone, or park for an operator.
    pub(crate) fn into_failure(self) -> Failure {
        match self {
            Self::Vercel(error) if error.is_installation_gone() || error.is_not_found() => Failure::gone(),
            Self::Vercel(error) if !error.is_transient() => Failure::refused(error.to_string()),
            Self::NoToken(_) => Failure::gone(),
            other => Failure::unavailable(other),
        }
    }
}

impl From<Error> for PlatformError {
    fn from(error: Error) -> Self {
        Self::Vercel(error)
    }
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoToken(installation) => write!(f, "no access token of {installation}: it is unknown or gone"),
            Self::NoInstallation(resource) => write!(f, "the installation of {resource} is not known"),
            Self::Vercel(error) => fmt::Display::fmt(error, f),
            Self::PeriodClosed(period) => write!(f, "the period {} is closed", period.external_id()),
            Self::NoInvoice(period) => write!(f, "no invoice of the period {} is known", period.external_id()),
            Self::Contended(period) => write!(f, "the period {} is changed too often", period.external_id()),
            Self::Store(cause) => write!(f, "cannot access the ledger: {cause}"),
        }
    }
}

impl error::Error for PlatformError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Vercel(error) => error.source(),
            _ => None,
        }
    }
}
