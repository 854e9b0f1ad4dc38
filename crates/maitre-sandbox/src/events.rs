//! Events for open pages.

use std::sync::Arc;

use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::entry::{Finding, Head};

/// Number of events buffered for a slow page.
const BUFFER: usize = 4_096;

#[derive(Clone, Debug)]
pub(crate) enum PageEvent {
    /// A journal entry is new or changed.
    Entry(Arc<(i64, Head)>),
    /// An install is new or changed.
    Installs,
    /// A call has its result, or a note was made. Published once per entry.
    Completed(Arc<Head>),
    /// A problem of a completed call, with the title of the call.
    Finding(Arc<(String, Finding)>),
    /// All entries were deleted.
    Cleared,
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
