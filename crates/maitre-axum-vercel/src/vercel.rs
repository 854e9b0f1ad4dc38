//! Credentials, catalog and settings of an integration at Vercel.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use maitre_axum::core::catalog::{Catalog, Offer, Plan, Service};
use maitre_axum::core::{ClientSecret, ClientSecrets, Marketplace, Reload, ReloadError, Secret, SupportsAsync};
use time::OffsetDateTime;

use crate::error::VercelError;
use crate::http::Http;
use crate::keys::KeySet;
use crate::optional::Optional;

const ISSUER: &str = "https://marketplace.vercel.com";
const API: &str = "https://api.vercel.com";
const KEY_AGE: Duration = Duration::from_mins(10);
const FETCH_INTERVAL: Duration = Duration::from_secs(30);

/// Credentials, catalog and settings of an integration at Vercel.
///
/// The catalog's services are Vercel's products, by name or id, and its plans are the billing plans, by name. Where
/// Vercel's own texts contradict each other, there is a setting.
///
/// ```
/// use maitre_axum::core::catalog::{Catalog, Plan, Price, Service};
/// use maitre_axum_vercel::Vercel;
///
/// let plan = Plan::new("p-1", "basic", "Three lanterns").with_price(Price::monthly(900, "USD"));
/// let catalog = Catalog::new([Service::new("s-1", "lantern", "Lanterns as a service").with_plan(plan)])?;
/// let vercel = Vercel::new("oac_lantern", "s3cr3t-example", catalog)?;
/// assert!(!format!("{vercel:?}").contains("s3cr3t"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Vercel {
    pub(crate) integration: String,
    pub(crate) client_secrets: ClientSecrets,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) issuer: String,
    pub(crate) keys: Arc<KeySet>,
    pub(crate) api: Http,
    pub(crate) created: bool,
    pub(crate) system_updates: bool,
    pub(crate) grant_type: bool,
    pub(crate) refused_token: StatusCode,
    pub(crate) refused_webhook: StatusCode,
    pub(crate) accepted_rotation: StatusCode,
    pub(crate) secret_prefix: Option<String>,
    pub(crate) optional: Optional,
}

impl Vercel {
    /// Creates it from the integration's id (`oac_…`, also called client id), its client secret, and the catalog.
    ///
    /// # Errors
    /// Returns an error if the id or the secret is empty, or the HTTP client cannot be created.
    pub fn new(integration: &str, client_secret: impl Into<Secret>, catalog: Catalog) -> Result<Self, VercelError> {
        if integration.is_empty() {
            return Err(VercelError::empty("integration id"));
        }
        let client_secret = ClientSecret::new(client_secret).map_err(|_| VercelError::empty("client secret"))?;
        Ok(Self {
            integration: integration.to_owned(),
            client_secrets: ClientSecrets::new(client_secret),
            catalog: Arc::new(catalog),
            issuer: ISSUER.to_owned(),
            keys: Arc::new(KeySet::new(Http::new(&discovery(ISSUER))?, KEY_AGE, FETCH_INTERVAL)),
            api: Http::new(API)?,
            created: false,
            system_updates: false,
            grant_type: true,
            refused_token: StatusCode::FORBIDDEN,
            refused_webhook: StatusCode::FORBIDDEN,
            accepted_rotation: StatusCode::ACCEPTED,
            secret_prefix: None,
            optional: Optional::default(),
        })
    }

    /// Accepts webhooks that are signed with another client secret, during a rotation. It is also sent if Vercel does not
    /// accept the current one.
    #[must_use]
    pub fn with_client_secret(mut self, secret: ClientSecret) -> Self {
        self.client_secrets = self.client_secrets.with_secret(secret);
        self
    }

    /// Sets the issuer of tokens. Its discovery document then names the key set. Defaults to
    /// `https://marketplace.vercel.com`.
    ///
    /// # Errors
    /// Returns an error if it is neither an `https` URL nor a loopback address.
    pub fn with_issuer(mut self, issuer: &str) -> Result<Self, VercelError> {
        self.keys = Arc::new(self.keys.with_source(Http::new(&discovery(issuer))?));
        issuer.clone_into(&mut self.issuer);
        Ok(self)
    }

    /// Sets the URL of the key set, or of a discovery document that names it. Defaults to the issuer's discovery document.
    ///
    /// # Errors
    /// Returns an error if it is neither an `https` URL nor a loopback address.
    pub fn with_jwks_url(mut self, url: &str) -> Result<Self, VercelError> {
        self.keys = Arc::new(self.keys.with_source(Http::new(url)?));
        Ok(self)
    }

    /// Sets the base of Vercel's REST API, for the exchange of sign-on codes. Defaults to `https://api.vercel.com`.
    ///
    /// # Errors
    /// Returns an error if it is neither an `https` URL nor a loopback address.
    pub fn with_api(mut self, url: &str) -> Result<Self, VercelError> {
        self.api = Http::new(url.trim_end_matches('/'))?;
        Ok(self)
    }

    /// Sets the age at which the key set is fetched again in the background, and the shortest time between two fetches
    /// because of an unknown key. Defaults to 10 min and 30 s.
    #[must_use]
    pub fn with_key_cache(mut self, max_age: Duration, fetch_interval: Duration) -> Self {
        self.keys = Arc::new(self.keys.with_times(max_age, fetch_interval));
        self
    }

    /// Sets whether new installations and resources are answered 201, as Vercel's example does, not 204 and 200. Defaults to
    /// `false`.
    #[must_use]
    pub fn with_created_status(mut self, created: bool) -> Self {
        self.created = created;
        self
    }

    /// Sets whether a system token may change a resource. Vercel does not say it. Defaults to `false`.
    #[must_use]
    pub fn with_system_updates(mut self, allowed: bool) -> Self {
        self.system_updates = allowed;
        self
    }

    /// Sets the status for an invalid token. Vercel documents 403, the default, and shows 401 in a sample.
    #[must_use]
    pub fn with_refused_token_status(mut self, status: StatusCode) -> Self {
        self.refused_token = status;
        self
    }

    /// Sets the status for a webhook with an invalid signature. Vercel documents 403, the default; its example answers 200.
    #[must_use]
    pub fn with_refused_webhook_status(mut self, status: StatusCode) -> Self {
        self.refused_webhook = status;
        self
    }

    /// Sets the status for a rotation that completes later. Vercel documents 202, the default, and 200.
    #[must_use]
    pub fn with_accepted_rotation_status(mut self, status: StatusCode) -> Self {
        self.accepted_rotation = status;
        self
    }

    /// Sets whether the exchange of a sign-on code sends `grant_type`, which Vercel's SDK requires and its example omits.
    /// Defaults to `true`.
    #[must_use]
    pub fn with_grant_type(mut self, sent: bool) -> Self {
        self.grant_type = sent;
        self
    }

    /// Sets the `prefix` of each secret, which Vercel documents as deprecated. Defaults to none.
    #[must_use]
    pub fn with_secret_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.secret_prefix = Some(prefix.into());
        self
    }

    /// Finds a product by its name or id.
    pub(crate) fn product(&self, id: &str) -> Option<&Service> {
        self.catalog.services().iter().find(|service| service.name() == id || service.id() == id)
    }

    /// Finds a plan by the names that the listener and the ledger know.
    pub(crate) fn offer(&self, service: Option<&str>, plan: &str) -> Option<Offer<'_>> {
        self.catalog.find_named(service, plan)
    }

    /// Returns whether one of these plans costs something. A plan that the catalog no longer has may have.
    pub(crate) fn is_paid<'p>(&self, mut plans: impl Iterator<Item = &'p String>) -> bool {
        plans.any(|plan| self.offer(None, plan).is_none_or(|offer| !offer.plan.free()))
    }

    /// Finds a plan of whole installations.
    pub(crate) fn installation_plans(&self) -> impl Iterator<Item = &Plan> {
        self.catalog.services().iter().flat_map(Service::plans).filter(|plan| crate::plan::is_of_installation(plan))
    }
}

fn discovery(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

impl fmt::Debug for Vercel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vercel")
            .field("integration", &self.integration)
            .field("issuer", &self.issuer)
            .field("optional", &self.optional)
            .finish_non_exhaustive()
    }
}

impl Marketplace for Vercel {
    fn name(&self) -> Cow<'static, str> {
        "vercel".into()
    }

    fn slug(&self) -> &str {
        &self.integration
    }
}

impl SupportsAsync for Vercel {}

/// The text has one client secret per line, the current one first.
impl Reload for Vercel {
    fn reload(&self, text: &str, now: OffsetDateTime, overlap: Duration) -> Result<(), ReloadError> {
        self.client_secrets.reload(text, now, overlap)
    }
}
