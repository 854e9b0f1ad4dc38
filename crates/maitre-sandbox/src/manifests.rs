//! Manifests that the vendor pushed, newest last. The first one is the manifest that the sandbox was started with.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

/// Maximum number of revisions kept.
const MAX_REVISIONS: usize = 100;

/// Pushed manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Revision {
    pub(crate) id: u64,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) contents: Value,
}

#[derive(Debug, Default)]
pub(crate) struct Manifests(Mutex<Vec<Revision>>);

impl Manifests {
    /// Adds a manifest unless it equals the newest one. Returns its revision.
    pub(crate) fn push(&self, contents: Value, created_at: OffsetDateTime) -> Revision {
        let mut revisions = self.revisions();
        if let Some(newest) = revisions.last().filter(|newest| newest.contents == contents) {
            return newest.clone();
        }
        let revision = Revision { id: revisions.last().map_or(0, |newest| newest.id) + 1, created_at, contents };
        revisions.push(revision.clone());
        if revisions.len() > MAX_REVISIONS {
            revisions.remove(0);
        }
        revision
    }

    pub(crate) fn all(&self) -> Vec<Revision> {
        self.revisions().clone()
    }

    /// Returns the state as JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&*self.revisions()).unwrap_or_default()
    }

    /// Restores the state from JSON. The manifest that the sandbox was started with stays the newest one.
    pub(crate) fn restore(&self, json: &str) -> serde_json::Result<()> {
        let restored = serde_json::from_str(json)?;
        let started = std::mem::replace(&mut *self.revisions(), restored);
        for revision in started {
            self.push(revision.contents, revision.created_at);
        }
        Ok(())
    }

    fn revisions(&self) -> MutexGuard<'_, Vec<Revision>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
