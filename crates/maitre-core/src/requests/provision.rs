//! Request to provision a resource.

use std::fmt;

use time::OffsetDateTime;

use crate::context::Context;
use crate::fields::Fields;
use crate::ids::{AccountId, AddonId, ResourceId};
use crate::secret::Secret;

/// Grant that can be exchanged once, within minutes, for a token of the marketplace's API.
#[derive(Clone)]
#[non_exhaustive]
pub struct OauthGrant {
    /// Code, valid for one exchange.
    pub code: Secret,
    /// Grant type; `authorization_code` in all known requests.
    pub kind: String,
    /// Expiry of the code; five minutes after its arrival if the marketplace's timestamp could not be parsed.
    pub expires_at: OffsetDateTime,
}

impl OauthGrant {
    /// Creates a grant of type `authorization_code`.
    pub fn new(code: impl Into<Secret>, expires_at: OffsetDateTime) -> Self {
        Self { code: code.into(), kind: "authorization_code".into(), expires_at }
    }
}

impl fmt::Debug for OauthGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthGrant").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Request to provision a resource. Heroku: `POST /resources`.
///
/// Fields that the marketplace does not send are empty. Fields that only one marketplace sends are in
/// [`details`](Self::details) and are read by a [view](Self::view). `Debug` omits parameters and details, as they may
/// hold secrets. `maitre` never calls a URL from a request.
///
/// ```
/// use maitre_core::{AddonId, Provision};
///
/// let mut request = Provision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "basic");
/// request.parameters.insert("retention", "7d");
/// assert_eq!(request.parameters.text("retention"), Some("7d"));
/// assert!(!format!("{request:?}").contains("7d"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Provision {
    /// The add-on.
    pub addon: AddonId,
    /// The resource's key, for create-or-get.
    pub resource: ResourceId,
    /// The account that the resource belongs to, at marketplaces that have accounts.
    pub account: Option<AccountId>,
    /// Name of the service, if the add-on has a catalog of several.
    pub service: Option<String>,
    /// Plan name without a prefix (`basic`), as sent by the marketplace or, if it has no plans, as mapped by the vendor.
    pub plan: String,
    /// Display name of the resource (Heroku: globally unique, may change).
    pub name: Option<String>,
    /// Region of the customer's app, free text (`amazon-web-services::eu-west-1`).
    pub region: Option<String>,
    /// Grant for a token of the marketplace's API; absent for older apps and in local tests.
    pub oauth_grant: Option<OauthGrant>,
    /// The customer's parameters (Heroku: `options`, all of them text). Validated only against a catalog's schema. Ignore
    /// unknown ones.
    pub parameters: Fields,
    /// All other fields, unchanged.
    pub details: Fields,
    /// Execution context.
    pub context: Context,
}

impl Provision {
    /// Creates a request with the required fields.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, plan: impl Into<String>) -> Self {
        Self {
            addon,
            resource: resource.into(),
            account: None,
            service: None,
            plan: plan.into(),
            name: None,
            region: None,
            oauth_grant: None,
            parameters: Fields::new(),
            details: Fields::new(),
            context: Context::default(),
        }
    }

    /// Returns the content by which a repeated request is recognized; see
    /// [`RequestIdentity`](crate::RequestIdentity).
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        let Self { service, plan, region, parameters, .. } = self;
        match service {
            // ledgers store hashes of identities, and an older release has an empty map of features here
            None => self.context.identity.or(&(plan, region, parameters.as_map(), Fields::new().as_map())),
            Some(service) => self.context.identity.or(&(service, plan, region, parameters.as_map())),
        }
    }
}

impl fmt::Debug for Provision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provision")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("service", &self.service)
            .field("plan", &self.plan)
            .field("name", &self.name)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
