//! Source of the current time.

use std::sync::Arc;

use time::OffsetDateTime;

/// Function that returns the current time; tests replace it.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;
