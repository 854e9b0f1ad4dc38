//! Replies to the removal of a resource or a binding.

use super::accessors::accessors;

/// Reply to a deprovision: the resource is permanently removed.
///
/// Heroku does not show the message: its 204 has no body.
///
/// ```
/// use maitre_core::Deprovisioned;
///
/// assert_eq!(Deprovisioned::new().message(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Deprovisioned {
    message: Option<String>,
}

accessors!(Deprovisioned: message);

impl Deprovisioned {
    /// Creates a reply without a message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// Reply to the removal of a binding: its credentials are no longer valid.
///
/// ```
/// use maitre_core::Unbound;
///
/// assert_eq!(Unbound::new().message(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Unbound {
    message: Option<String>,
}

accessors!(Unbound: message);

impl Unbound {
    /// Creates a reply without a message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}
