//! Requests that read the record of a resource, and change nothing.

use crate::ids::{AccountId, AddonId, BindingId, ResourceId};

/// Request for the state of an operation, by a marketplace that polls.
///
/// ```
/// use maitre_core::{AddonId, LastOperation};
///
/// let mut request = LastOperation::new(AddonId::new("osb", "lantern"), "i-1");
/// request.operation = Some(17);
/// assert_eq!(request.binding, None);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LastOperation {
    /// The add-on.
    pub addon: AddonId,
    /// The resource.
    pub resource: ResourceId,
    /// The binding, for an operation of a binding.
    pub binding: Option<BindingId>,
    /// Id of the operation, as in [`Outcome::Accepted`](crate::Outcome::Accepted). `None` for the latest operation of the
    /// resource or binding.
    pub operation: Option<i64>,
}

impl LastOperation {
    /// Creates a request for the latest operation of a resource.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        Self { addon, resource: resource.into(), binding: None, operation: None }
    }
}

/// Request for the record of a resource.
///
/// ```
/// use maitre_core::{AddonId, Fetch};
///
/// assert_eq!(Fetch::new(AddonId::new("osb", "lantern"), "i-1").resource, "i-1");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fetch {
    /// The add-on.
    pub addon: AddonId,
    /// The resource.
    pub resource: ResourceId,
    /// The account that the request is for, at marketplaces that have accounts. In a ledger, a resource of another account
    /// is unknown.
    pub account: Option<AccountId>,
}

impl Fetch {
    /// Creates a request.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        Self { addon, resource: resource.into(), account: None }
    }
}

/// Request for the record of a binding.
///
/// ```
/// use maitre_core::{AddonId, FetchBinding};
///
/// assert_eq!(FetchBinding::new(AddonId::new("osb", "lantern"), "i-1", "b-1").binding, "b-1");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FetchBinding {
    /// The add-on.
    pub addon: AddonId,
    /// The resource.
    pub resource: ResourceId,
    /// The binding's key under the resource.
    pub binding: BindingId,
}

impl FetchBinding {
    /// Creates a request.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, binding: impl Into<BindingId>) -> Self {
        Self { addon, resource: resource.into(), binding: binding.into() }
    }
}
