//! What happens at a platform, told as it happens.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use super::{exchange::Exchange, violation::Violation};
use crate::{reply::Reply, request::Request};

/// Something that happened at a [`Platform`](crate::platform::Platform): see [`Platform::watch`](crate::platform::Platform::watch).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PlatformEvent {
    /// A call arrived, and is not answered yet.
    RequestReceived(Exchange),
    /// A call came to its end. Without a [status](Exchange::status) it has no answer and will have none: a fault dropped
    /// the connection, or the caller hung up.
    ExchangeEnded(Exchange),
    /// A webhook was posted.
    WebhookPosted {
        /// The add-on that it tells about.
        uuid: String,
        /// What was posted.
        request: Request,
        /// What the receiver answered; `None` if it did not.
        reply: Option<Reply>,
    },
    /// A vendor did something wrong.
    RuleViolated(Violation),
    /// The add-on of this uuid is another one than before: its state, its plan, its name, its config vars.
    InstallChanged(String),
}

type Watcher = Arc<dyn Fn(&PlatformEvent) + Send + Sync>;

/// Who is told.
#[derive(Default)]
pub(crate) struct Watchers(RwLock<Vec<Watcher>>);

impl Watchers {
    pub(crate) fn add(&self, told: impl Fn(&PlatformEvent) + Send + Sync + 'static) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(told));
    }

    pub(crate) fn notify(&self, news: &PlatformEvent) {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().for_each(|told| told(news));
    }
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers").finish_non_exhaustive()
    }
}
