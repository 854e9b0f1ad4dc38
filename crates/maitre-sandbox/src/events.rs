//! Events for open pages.

use std::sync::Arc;

use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::entry::Head;

/// Number of events buffered for a slow page.
const BUFFER: usize = 4_096;

#[derive(Clone, Debug)]
pub(crate) enum PageEvent {
    /// A journal entry is new or changed.
    Entry(Arc<(i64, Head)>),
    /// An install is new or changed.
    Installs,
    /// The clock, the faults or the reachability of the add-on changed.
    Panel,
}

/// Open pages. A clone has the same subscribers.
#[derive(Clone)]
pub(crate) struct Subscribers(Sender<PageEvent>);

impl Subscribers {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(BUFFER).0)
    }

    pub(crate) fn subscribe(&self) -> Receiver<PageEvent> {
        self.0.subscribe()
    }

    pub(crate) fn publish(&self, event: PageEvent) {
        // fails only if no page is open
        let _ = self.0.send(event);
    }
}
