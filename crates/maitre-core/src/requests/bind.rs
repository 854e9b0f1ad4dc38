//! Requests to create and remove the credentials of one app.

use std::fmt;

use crate::config_vars::ConfigVars;
use crate::context::Context;
use crate::fields::Fields;
use crate::ids::{AddonId, BindingId, ResourceId};

/// Request to create a binding: credentials of a resource for one app. Open Service Broker: `PUT` on the binding.
///
/// ```
/// use maitre_core::{AddonId, Bind};
///
/// let request = Bind::new(AddonId::new("osb", "lantern"), "i-1", "b-1");
/// assert_eq!(request.binding, "b-1");
/// assert!(request.config.is_none());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Bind {
    /// The add-on.
    pub addon: AddonId,
    /// The resource.
    pub resource: ResourceId,
    /// The binding's key under the resource, for create-or-get.
    pub binding: BindingId,
    /// Name of the service, if the marketplace sends it and the add-on has a catalog of several.
    pub service: Option<String>,
    /// Name of the resource's plan, if the marketplace sends it.
    pub plan: Option<String>,
    /// The marketplace's id of the customer's app.
    pub app: Option<String>,
    /// The customer's parameters. Validated only against a catalog's schema.
    pub parameters: Fields,
    /// Binding that the new one replaces. Both stay valid until the older one is removed.
    pub predecessor: Option<BindingId>,
    /// Config vars of the resource, as its provision and later changes returned them. `None` without a ledger.
    pub config: Option<ConfigVars>,
    /// All other fields, unchanged.
    pub details: Fields,
    /// Execution context.
    pub context: Context,
}

impl Bind {
    /// Creates a request with the required fields.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, binding: impl Into<BindingId>) -> Self {
        Self {
            addon,
            resource: resource.into(),
            binding: binding.into(),
            service: None,
            plan: None,
            app: None,
            parameters: Fields::new(),
            predecessor: None,
            config: None,
            details: Fields::new(),
            context: Context::default(),
        }
    }

    /// Returns the content by which a repeated request is recognized; see
    /// [`RequestIdentity`](crate::RequestIdentity).
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        let predecessor = self.predecessor.as_ref().map(BindingId::as_str);
        self.context.identity.or(&(&self.service, &self.plan, &self.app, predecessor, self.parameters.as_map()))
    }
}

impl fmt::Debug for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bind")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("binding", &self.binding)
            .field("service", &self.service)
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// Request to remove a binding.
///
/// ```
/// use maitre_core::{AddonId, Unbind};
///
/// let request = Unbind::new(AddonId::new("osb", "lantern"), "i-1", "b-1");
/// assert_eq!((request.resource.as_str(), request.binding.as_str()), ("i-1", "b-1"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unbind {
    /// The add-on.
    pub addon: AddonId,
    /// The resource.
    pub resource: ResourceId,
    /// The binding's key under the resource.
    pub binding: BindingId,
    /// All other fields, unchanged.
    pub details: Fields,
    /// Execution context.
    pub context: Context,
}

impl Unbind {
    /// Creates a request with the required fields.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, binding: impl Into<BindingId>) -> Self {
        Self {
            addon,
            resource: resource.into(),
            binding: binding.into(),
            details: Fields::new(),
            context: Context::default(),
        }
    }
}
