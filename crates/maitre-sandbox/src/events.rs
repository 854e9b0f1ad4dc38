//! What open pages are told, as it happens.

use std::sync::Arc;

use crate::journal::Head;

#[derive(Clone, Debug)]
pub(crate) enum PageEvent {
    /// A line of the timeline is new, or another one than before.
    Entry(Arc<(i64, Head)>),
    /// The installs are others than before.
    Installs,
    /// The clock, the faults, or whether the add-on is there.
    Panel,
}
