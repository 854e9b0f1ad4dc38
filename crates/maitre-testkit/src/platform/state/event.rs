//! Events of a platform.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use super::{exchange::Exchange, violation::Violation};
use crate::{reply::Reply, request::Request};

/// Event of a [`Platform`](crate::platform::Platform): see [`Platform::watch`](crate::platform::Platform::watch).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PlatformEvent {
    /// A call arrived.
    RequestReceived(Exchange),
    /// A call ended. It has no [status](Exchange::status) if a fault dropped the connection or the caller hung up.
    ExchangeEnded(Exchange),
    /// A webhook was posted.
    WebhookPosted {
        /// The uuid of the add-on.
        uuid: String,
        /// The webhook request.
        request: Request,
        /// The receiver's response; `None` without one.
        reply: Option<Reply>,
    },
    /// A vendor broke a rule.
    RuleViolated(Violation),
    /// The state, plan, name or config vars of the add-on with this uuid changed.
    InstallChanged(String),
}

type Watcher = Arc<dyn Fn(&PlatformEvent) + Send + Sync>;

/// Callbacks that are notified of events.
#[derive(Default)]
pub(crate) struct Watchers(RwLock<Vec<Watcher>>);

impl Watchers {
    pub(crate) fn add(&self, watcher: impl Fn(&PlatformEvent) + Send + Sync + 'static) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(watcher));
    }

    pub(crate) fn notify(&self, event: &PlatformEvent) {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().for_each(|watcher| watcher(event));
    }
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers").finish_non_exhaustive()
    }
}
