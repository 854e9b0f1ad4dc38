//! Capabilities of a listener.

use std::fmt;

/// An optional part of a [`Listener`](crate::Listener) that marketplaces may only use if it is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Capability {
    /// [`Listener::bind`](crate::Listener::bind) creates separate credentials for each binding. Without it, all bindings
    /// of a resource share its config vars.
    Bind,
    /// [`Listener::update`](crate::Listener::update) changes parameters without a plan change.
    Update,
    /// [`Listener::rotate`](crate::Listener::rotate) replaces the credentials of a resource.
    Rotate,
}

const ALL: [Capability; 3] = [Capability::Bind, Capability::Update, Capability::Rotate];

/// The capabilities that a listener declares. Router, catalog and tools read them. Defaults to none.
///
/// ```
/// use maitre_core::{Capabilities, Capability};
///
/// let capabilities = Capabilities::from([Capability::Bind, Capability::Rotate]);
/// assert!(capabilities.contains(Capability::Bind));
/// assert!(!capabilities.contains(Capability::Update));
/// assert_eq!(Capabilities::default().iter().count(), 0);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Capabilities(u32);

impl Capabilities {
    /// Adds a capability.
    #[must_use]
    pub fn with(self, capability: Capability) -> Self {
        Self(self.0 | 1 << capability as u32)
    }

    /// Returns whether a capability is declared.
    #[must_use]
    pub fn contains(self, capability: Capability) -> bool {
        self.0 & 1 << capability as u32 != 0
    }

    /// Returns the declared capabilities.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        ALL.into_iter().filter(move |capability| self.contains(*capability))
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        capabilities.into_iter().fold(Self::default(), Self::with)
    }
}

impl<const N: usize> From<[Capability; N]> for Capabilities {
    fn from(capabilities: [Capability; N]) -> Self {
        capabilities.into_iter().collect()
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
