//! Requests to a listener.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::context::Context;
use crate::ids::{AddonId, ResourceId};
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
/// Fields that the marketplace does not send are empty. `Debug` omits URLs, options and unknown fields, as they may
/// hold secrets. `maitre` never calls a URL from a request.
///
/// ```
/// use maitre_core::{AddonId, Provision};
///
/// let mut request = Provision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "basic");
/// request.options.insert("retention".into(), "7d".into());
/// assert!(!format!("{request:?}").contains("7d"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Provision {
    /// The add-on.
    pub addon: AddonId,
    /// The resource's key, for create-or-get.
    pub resource: ResourceId,
    /// Plan name without a prefix (`basic`), as sent by the marketplace or, if it has no plans, as mapped by the vendor.
    pub plan: String,
    /// Display name of the resource (Heroku: globally unique, may change).
    pub name: Option<String>,
    /// Region of the customer's app, free text (`amazon-web-services::eu-west-1`).
    pub region: Option<String>,
    /// URL of the resource in the marketplace's API.
    pub callback_url: Option<Secret>,
    /// Grant for a token of the marketplace's API; absent for older apps and in local tests.
    pub oauth_grant: Option<OauthGrant>,
    /// Options that the customer passed on the command line, not validated. Ignore unknown ones.
    pub options: BTreeMap<String, String>,
    /// URL that accepts lines for the customer's log (manifest: `requires` has `log_input`).
    pub log_input_url: Option<Secret>,
    /// Identifies the app in the log lines that it sends (manifest: `requires` has `syslog_drain`).
    pub log_drain_token: Option<Secret>,
    /// The customer's app or deployment: cloudControl's `cloudcontrol_id`, Heroku v1's `heroku_id`.
    pub tenant: Option<String>,
    /// The log token of Heroku v1 and cloudControl.
    pub logplex_token: Option<Secret>,
    /// Features that Opperator sends instead of a plan.
    pub features: Map<String, Value>,
    /// All undocumented fields, unchanged.
    pub extra: Map<String, Value>,
    /// Execution context.
    pub context: Context,
}

impl Provision {
    /// Creates a request with the required fields.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, plan: impl Into<String>) -> Self {
        Self {
            addon,
            resource: resource.into(),
            plan: plan.into(),
            name: None,
            region: None,
            callback_url: None,
            oauth_grant: None,
            options: BTreeMap::new(),
            log_input_url: None,
            log_drain_token: None,
            tenant: None,
            logplex_token: None,
            features: Map::new(),
            extra: Map::new(),
            context: Context::default(),
        }
    }
}

impl fmt::Debug for Provision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provision")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("plan", &self.plan)
            .field("name", &self.name)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Request to change the plan of a resource: `PUT` on the resource.
///
/// ```
/// use maitre_core::{AddonId, PlanChange};
///
/// let request = PlanChange::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "premium");
/// assert_eq!(request.plan, "premium");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct PlanChange {
    /// The add-on.
    pub addon: AddonId,
    /// Id in the path: the one that the listener returned, or the key.
    pub resource: ResourceId,
    /// Name of the new plan without a prefix.
    pub plan: String,
    /// The customer's app or deployment, if sent.
    pub tenant: Option<String>,
    /// Features that Opperator sends instead of a plan.
    pub features: Map<String, Value>,
    /// All other fields. A `uuid` here has no meaning: older checkers send a random one.
    pub extra: Map<String, Value>,
    /// Execution context.
    pub context: Context,
}

impl PlanChange {
    /// Creates a request with the required fields.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, plan: impl Into<String>) -> Self {
        Self {
            addon,
            resource: resource.into(),
            plan: plan.into(),
            tenant: None,
            features: Map::new(),
            extra: Map::new(),
            context: Context::default(),
        }
    }
}

impl fmt::Debug for PlanChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanChange")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// Request to deprovision a resource: `DELETE` on the resource, without a body.
///
/// ```
/// use maitre_core::{AddonId, Deprovision};
///
/// let request = Deprovision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e");
/// assert_eq!(request.resource.as_str(), "7b0c9c1e");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Deprovision {
    /// The add-on.
    pub addon: AddonId,
    /// Id in the path: the one that the listener returned, or the key.
    pub resource: ResourceId,
    /// Execution context.
    pub context: Context,
}

impl Deprovision {
    /// Creates a request with the required fields.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        Self { addon, resource: resource.into(), context: Context::default() }
    }
}

/// Warning that the customer is close to a limit of the plan. Opperator: `PUT /plan_warning/{id}`, with an undefined
/// body.
///
/// ```
/// use maitre_core::{AddonId, PlanWarning};
///
/// let request = PlanWarning::new(AddonId::new("opperator", "lantern"), "inst-77");
/// assert!(request.extra.is_empty());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct PlanWarning {
    /// The add-on.
    pub addon: AddonId,
    /// Id in the path.
    pub resource: ResourceId,
    /// Fields of the body, if any.
    pub extra: Map<String, Value>,
}

impl PlanWarning {
    /// Creates a warning without a body.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        Self { addon, resource: resource.into(), extra: Map::new() }
    }
}

impl fmt::Debug for PlanWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanWarning")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}
