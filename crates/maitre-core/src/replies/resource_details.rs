//! Record of a resource.

use crate::fields::Fields;
use crate::ids::{AccountId, ProviderId};

use super::customer_notice::CustomerNotice;

/// Record of a resource, as read by a marketplace.
///
/// ```
/// use maitre_core::{ResourceDetails, ResourceStatus};
///
/// let details = ResourceDetails::new("basic", ResourceStatus::Provisioned);
/// assert_eq!(details.dashboard_url, None);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResourceDetails {
    /// The vendor's id, once the resource is provisioned.
    pub provider_id: Option<ProviderId>,
    /// The account that the resource belongs to, at marketplaces that have accounts.
    pub account: Option<AccountId>,
    /// Name of the service, if the add-on has a catalog of several.
    pub service: Option<String>,
    /// Name of the plan.
    pub plan: String,
    /// Display name of the resource.
    pub name: Option<String>,
    /// Region of the customer's app.
    pub region: Option<String>,
    /// The customer's current parameters.
    pub parameters: Fields,
    /// Other fields of the request to provision, unchanged.
    pub details: Fields,
    /// URL of the resource's page for the customer.
    pub dashboard_url: Option<String>,
    /// Notice beside the resource.
    pub notice: Option<CustomerNotice>,
    /// State of the resource.
    pub status: ResourceStatus,
    /// Whether the marketplace has suspended the resource and not reinstated it.
    pub suspended: bool,
}

impl ResourceDetails {
    /// Creates a record with the required fields.
    pub fn new(plan: impl Into<String>, status: ResourceStatus) -> Self {
        Self {
            provider_id: None,
            account: None,
            service: None,
            plan: plan.into(),
            name: None,
            region: None,
            parameters: Fields::new(),
            details: Fields::new(),
            dashboard_url: None,
            notice: None,
            status,
            suspended: false,
        }
    }
}

/// State of a resource, as read by a marketplace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceStatus {
    /// It is being provisioned.
    Provisioning,
    /// It is provisioned, but not ready yet; see [`Provisioned::with_pending`](crate::Provisioned::with_pending).
    Pending,
    /// It was pending, and has failed.
    Failed,
    /// It is provisioned.
    Provisioned,
    /// Its plan, parameters or credentials are being changed.
    Updating,
    /// It is being deprovisioned.
    Deprovisioning,
}
