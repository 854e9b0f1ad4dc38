//! `DurableListener`: the backend around the vendor's listener. `backend.rs` has its operations.

use std::fmt;
use std::sync::Arc;

use maitre_core::{Listener, PlatformHooks};

use super::inner::Inner;

/// Backend around the vendor's listener, safe under duplicates, crashes and many processes; see [`Ledger::wrap`](crate::Ledger::wrap).
pub struct DurableListener<L> {
    pub(super) ledger: Arc<Inner>,
    pub(super) listener: Arc<L>,
    pub(super) platform: Option<Arc<dyn PlatformHooks>>,
    pub(super) reuses_keys: bool,
}

impl<L> Clone for DurableListener<L> {
    fn clone(&self) -> Self {
        Self {
            ledger: self.ledger.clone(),
            listener: self.listener.clone(),
            platform: self.platform.clone(),
            reuses_keys: self.reuses_keys,
        }
    }
}

impl<L> fmt::Debug for DurableListener<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableListener").finish_non_exhaustive()
    }
}

impl<L: Listener> DurableListener<L> {
    pub(super) fn new(ledger: Arc<Inner>, listener: L) -> Self {
        Self { ledger, listener: Arc::new(listener), platform: None, reuses_keys: false }
    }

    /// Whether a marketplace may use the key of a removed or refused resource, or of a removed binding, again. Defaults to `false`: a provision or bind
    /// that arrives after its removal, because it was delayed, is refused as gone.
    #[must_use]
    pub fn with_key_reuse(mut self, reuse: bool) -> Self {
        self.reuses_keys = reuse;
        self
    }

    /// Adds the hooks of a marketplace's API, such as `maitre_heroku::Platform`: jobs run beside a provision, and slow
    /// operations can be accepted and reported later.
    #[must_use]
    pub fn with_platform(mut self, platform: impl PlatformHooks) -> Self {
        self.platform = Some(Arc::new(platform));
        self
    }
}
