//! Request to replace the credentials of a resource.

use std::time::Duration;

use crate::context::Context;
use crate::fields::Fields;
use crate::ids::{AccountId, AddonId, ResourceId};

/// Request to replace the credentials of a resource.
///
/// ```
/// use maitre_core::{AddonId, Rotate};
///
/// let request = Rotate::new(AddonId::new("vercel", "lantern"), "pml_81");
/// assert!(request.keep_old.is_zero());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rotate {
    /// The add-on.
    pub addon: AddonId,
    /// The resource.
    pub resource: ResourceId,
    /// The account that the request is for, at marketplaces that have accounts. In a ledger, a resource of another account
    /// is unknown.
    pub account: Option<AccountId>,
    /// Time for which the old credentials stay valid.
    pub keep_old: Duration,
    /// Reason in the marketplace's words.
    pub reason: Option<String>,
    /// All other fields, unchanged.
    pub details: Fields,
    /// Execution context.
    pub context: Context,
}

impl Rotate {
    /// Creates a request that ends the old credentials immediately.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>) -> Self {
        Self {
            addon,
            resource: resource.into(),
            account: None,
            keep_old: Duration::ZERO,
            reason: None,
            details: Fields::new(),
            context: Context::default(),
        }
    }

    /// Returns the content by which a repeated request is recognized; see
    /// [`RequestIdentity`](crate::RequestIdentity).
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        let Self { keep_old, reason, context, .. } = self;
        context.identity.or(&(keep_old.as_secs_f64(), reason, context.idempotency_key.as_deref()))
    }
}
