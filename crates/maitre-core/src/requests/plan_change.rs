//! Requests to change the plan or the parameters of a resource.

use std::fmt;

use crate::context::Context;
use crate::fields::Fields;
use crate::ids::{AccountId, AddonId, ResourceId};

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
    /// The account that the request is for, at marketplaces that have accounts. In a ledger, a resource of another account
    /// is unknown.
    pub account: Option<AccountId>,
    /// Name of the service, if the add-on has a catalog of several.
    pub service: Option<String>,
    /// Name of the new plan without a prefix.
    pub plan: String,
    /// New display name of the resource; `None` if it does not change.
    pub name: Option<String>,
    /// New parameters; `None` if they do not change.
    pub parameters: Option<Fields>,
    /// All other fields, unchanged.
    pub details: Fields,
    /// Execution context.
    pub context: Context,
}

impl PlanChange {
    /// Creates a request with the required fields.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, plan: impl Into<String>) -> Self {
        Self {
            addon,
            resource: resource.into(),
            account: None,
            service: None,
            plan: plan.into(),
            name: None,
            parameters: None,
            details: Fields::new(),
            context: Context::default(),
        }
    }

    /// Returns the content by which a repeated request is recognized; see
    /// [`RequestIdentity`](crate::RequestIdentity).
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        let parameters = self.parameters.as_ref().map(Fields::as_map);
        match &self.name {
            None => self.context.identity.or(&(&self.service, &self.plan, parameters)),
            Some(name) => self.context.identity.or(&(&self.service, &self.plan, parameters, name)),
        }
    }
}

impl fmt::Debug for PlanChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanChange")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("service", &self.service)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// Request to change the parameters or the name of a resource, but not its plan.
///
/// ```
/// use maitre_core::{AddonId, Update};
///
/// let mut request = Update::new(AddonId::new("osb", "lantern"), "i-1");
/// request.parameters.insert("retention", "30d");
/// assert!(!format!("{request:?}").contains("30d"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Update {
    /// The add-on.
    pub addon: AddonId,
    /// Id in the path: the one that the listener returned, or the key.
    pub resource: ResourceId,
    /// The account that the request is for, at marketplaces that have accounts. In a ledger, a resource of another account
    /// is unknown.
    pub account: Option<AccountId>,
    /// Name of the service, if the add-on has a catalog of several.
    pub service: Option<String>,
    /// New display name of the resource; `None` if it does not change.
    pub name: Option<String>,
    /// New parameters. Parameters that are not sent do not change.
    pub parameters: Fields,
    /// All other fields, unchanged.
    pub details: Fields,
    /// Execution context.
    pub context: Context,
}

impl Update {
    /// Creates a request without parameters.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        Self {
            addon,
            resource: resource.into(),
            account: None,
            service: None,
            name: None,
            parameters: Fields::new(),
            details: Fields::new(),
            context: Context::default(),
        }
    }

    /// Returns the content by which a repeated request is recognized; see
    /// [`RequestIdentity`](crate::RequestIdentity).
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        self.context.identity.or(&(&self.service, &self.name, self.parameters.as_map()))
    }
}

impl fmt::Debug for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("service", &self.service)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
