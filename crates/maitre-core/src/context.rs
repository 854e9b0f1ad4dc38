//! Execution context of a request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::identity::RequestIdentity;
use crate::trace::TraceParent;

/// Execution context of a request, set by the router and the ledger.
///
/// A listener needs it only to report progress and to reject late writes by the fencing token.
///
/// ```
/// use maitre_core::{AddonId, Provision};
///
/// let request = Provision::new(AddonId::new("heroku", "lantern"), "7b0c9c1e", "basic");
/// assert_eq!(request.context.fence, 0);
/// request.context.progress.report("Your cluster is starting.");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a request")]
pub struct Context {
    /// Fencing token: grows with every run of an operation on this resource, so that the vendor can reject writes of an
    /// earlier run. 0 without a ledger.
    ///
    /// Store it with the resource, and make every write conditional on a token that is not lower. A deprovision stores it
    /// even if there is no resource yet: a provision that it has overtaken may still write.
    pub fence: u64,
    /// Time after which the operation is answered as accepted. `None` if the marketplace needs the result in this
    /// response. It comes from the add-on, or from the request (Open Service Broker: `accepts_incomplete`).
    pub async_after: Option<Duration>,
    /// Whether the marketplace polls for the completion of an accepted operation, so that it need not be notified.
    pub polled: bool,
    /// Whether the marketplace reads back the values of a request, so that a ledger records them.
    pub reads_back: bool,
    /// Whether the marketplace shows resources that are [pending](crate::Provisioned::with_pending).
    pub shows_pending: bool,
    /// Key by which the marketplace marks repetitions of one request, if it sends one: a repeated rotation does not rotate
    /// again.
    pub idempotency_key: Option<Arc<str>>,
    /// Trace that the request belongs to. A ledger keeps it with the operation, so that another process continues it.
    pub trace: Option<TraceParent>,
    /// Content by which a repeated request is recognized.
    pub identity: RequestIdentity,
    /// Progress reporter of a long operation.
    pub progress: Progress,
    /// Whether the marketplace chose the resource's key, and so means the same resource when it repeats the request.
    pub keyed: bool,
    /// Whether the marketplace may use the key of a removed or refused resource again. In a ledger, this has the effect of
    /// its setting for all marketplaces. A provision then also cancels a deprovision that waits for its
    /// [delay](crate::Deprovision::delay).
    pub reuses_key: bool,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            fence: 0,
            async_after: None,
            polled: false,
            reads_back: false,
            shows_pending: false,
            idempotency_key: None,
            trace: None,
            identity: RequestIdentity::default(),
            progress: Progress::default(),
            keyed: true,
            reuses_key: false,
        }
    }
}

/// Progress reporter of a long operation.
///
/// The last message is shown to the customer and the vendor's operators when they ask (Heroku: the `message` of a 202).
/// Without a ledger, messages are discarded.
///
/// ```
/// use maitre_core::Progress;
///
/// let messages = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
/// let sink = messages.clone();
/// let progress = Progress::new(move |message| sink.lock().unwrap().push(message));
/// progress.report("Your cluster is starting.");
/// assert_eq!(*messages.lock().unwrap(), ["Your cluster is starting."]);
/// Progress::default().report("This message is discarded.");
/// ```
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn Fn(String) + Send + Sync>>);

impl Progress {
    /// Creates a reporter that passes messages to `sink`, which must not block.
    pub fn new(sink: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(sink)))
    }

    /// Reports a message, a full sentence.
    pub fn report(&self, message: impl Into<String>) {
        if let Some(sink) = &self.0 {
            sink(message.into());
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}
