//! Request to deprovision a resource.

use std::time::Duration;

use crate::context::Context;
use crate::ids::{AccountId, AddonId, ResourceId};

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
    /// The account that the request is for, at marketplaces that have accounts. In a ledger, a resource of another account
    /// is unknown.
    pub account: Option<AccountId>,
    /// Time for which the resource must still serve. A ledger deprovisions it after that, unless it is provisioned again
    /// before with [`Context::reuses_key`]; without a ledger, it is deprovisioned immediately.
    pub delay: Duration,
    /// Execution context.
    pub context: Context,
}

impl Deprovision {
    /// Creates a request with the required fields.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        Self { addon, resource: resource.into(), account: None, delay: Duration::ZERO, context: Context::default() }
    }
}
