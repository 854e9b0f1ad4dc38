//! Work that continues after its caller has left.

use maitre_core::SpawnOnDrop;
use tokio::runtime::Handle;
use tracing::Instrument;

/// Returns a future that continues in a task if its caller drops it. Without a runtime the process is ending, and another
/// process takes the work over.
pub(super) fn spawn_on_drop<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> SpawnOnDrop<T> {
    SpawnOnDrop::new(work.in_current_span(), |work| drop(Handle::try_current().map(|runtime| runtime.spawn(work))))
}
