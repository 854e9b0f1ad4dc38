//! Timestamps of single sign-on forms.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Timestamps of the signed forms. A second form with the same timestamp could be refused as a replay.
#[derive(Default)]
pub(crate) struct Timestamps(Mutex<BTreeSet<i64>>);

impl Timestamps {
    /// Returns this second, or the latest earlier one without a form.
    pub(crate) fn unused(&self, wanted: i64) -> i64 {
        let mut timestamps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = (0..10_000).map(|back| wanted - back).find(|timestamp| !timestamps.contains(timestamp));
        let timestamp = unused.unwrap_or(wanted);
        timestamps.insert(timestamp);
        timestamp
    }
}
