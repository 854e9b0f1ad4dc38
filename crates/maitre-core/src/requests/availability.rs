//! Requests to suspend a resource and to reinstate it.

use crate::context::Context;
use crate::fields::Fields;
use crate::ids::{AddonId, ResourceId};

/// Request to suspend a resource, for example because its customer has not paid. Its data must be kept.
///
/// ```
/// use maitre_core::{AddonId, Suspend};
///
/// let mut request = Suspend::new(AddonId::new("ibm-cloud", "lantern"), "i-1");
/// request.reason = Some("ACCT_SUSPEND".into());
/// assert!(!request.context.polled);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suspend {
    /// The add-on.
    pub addon: AddonId,
    /// The resource.
    pub resource: ResourceId,
    /// Reason in the marketplace's words.
    pub reason: Option<String>,
    /// All other fields, unchanged.
    pub details: Fields,
    /// Execution context.
    pub context: Context,
}

impl Suspend {
    /// Creates a request without a reason.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        let (resource, details) = (resource.into(), Fields::new());
        Self { addon, resource, reason: None, details, context: Context::default() }
    }
}

/// Request to reinstate a suspended resource.
///
/// ```
/// use maitre_core::{AddonId, Reinstate};
///
/// let request = Reinstate::new(AddonId::new("ibm-cloud", "lantern"), "i-1");
/// assert_eq!(request.reason, None);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reinstate {
    /// The add-on.
    pub addon: AddonId,
    /// The resource.
    pub resource: ResourceId,
    /// Reason in the marketplace's words.
    pub reason: Option<String>,
    /// All other fields, unchanged.
    pub details: Fields,
    /// Execution context.
    pub context: Context,
}

impl Reinstate {
    /// Creates a request without a reason.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        let (resource, details) = (resource.into(), Fields::new());
        Self { addon, resource, reason: None, details, context: Context::default() }
    }
}
