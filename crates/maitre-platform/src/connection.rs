use std::error;

use maitre_core::{AddonId, PlatformStore};
use maitre_http::CallError;
use time::OffsetDateTime;

/// Access of one add-on to a marketplace's API, with a ledger.
pub trait Connection: Send + Sync {
    /// Error of a call to the marketplace.
    type CallError: AsRef<CallError> + error::Error + Send + Sync + 'static;

    /// Returns the id of the add-on.
    fn addon(&self) -> &AddonId;

    /// Returns the store of the ledger.
    fn store(&self) -> &dyn PlatformStore;

    /// Returns the current time.
    fn now(&self) -> OffsetDateTime;
}
