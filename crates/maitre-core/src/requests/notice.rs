//! Notifications from a marketplace.

use std::fmt;

use crate::fields::Fields;
use crate::ids::{AddonId, ResourceId};

/// Notification from a marketplace about a resource. It changes nothing that the marketplace waits for.
///
/// ```
/// use maitre_core::{AddonId, Notice, NoticeKind};
///
/// let notice = Notice::new(AddonId::new("opperator", "lantern"), "inst-77", NoticeKind::PlanWarning);
/// assert!(notice.details.is_empty());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Notice {
    /// The add-on.
    pub addon: AddonId,
    /// The resource.
    pub resource: ResourceId,
    /// Subject of the notification.
    pub kind: NoticeKind,
    /// Fields of the notification, unchanged.
    pub details: Fields,
}

impl Notice {
    /// Creates a notification without details.
    pub fn new(addon: AddonId, resource: impl Into<ResourceId>, kind: NoticeKind) -> Self {
        Self { addon, resource: resource.into(), kind, details: Fields::new() }
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice")
            .field("addon", &self.addon)
            .field("resource", &self.resource)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Subject of a [`Notice`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoticeKind {
    /// The customer is close to a limit of the plan. Opperator: `PUT /plan_warning/{id}`, with an undefined body.
    PlanWarning,
    /// The customer renamed the resource.
    Renamed,
    /// The resource belongs to another customer now.
    Transferred,
    /// The marketplace could not complete a deprovision.
    DeprovisionFailed,
    /// The marketplace's data of the resource has changed.
    Updated,
    /// A subject that has no name here, in the marketplace's words.
    Other(String),
}

impl NoticeKind {
    /// Returns a name for logs, which contains no text of the marketplace.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::PlanWarning => "plan_warning",
            Self::Renamed => "renamed",
            Self::Transferred => "transferred",
            Self::DeprovisionFailed => "deprovision_failed",
            Self::Updated => "updated",
            Self::Other(_) => "other",
        }
    }
}
