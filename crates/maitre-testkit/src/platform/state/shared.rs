//! Shared access to the state.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{clock::Clock, journal::Journal, store::PlatformState};

/// The state of a platform, shared by its handles and its HTTP handlers.
#[derive(Clone)]
pub(crate) struct SharedState(Arc<Inner>);

struct Inner {
    state: Mutex<PlatformState>,
    clock: Clock,
    journal: Arc<Journal>,
}

impl SharedState {
    pub(crate) fn new(state: PlatformState) -> Self {
        let (clock, journal) = (state.clock.clone(), state.journal.clone());
        Self(Arc::new(Inner { state: Mutex::new(state), clock, journal }))
    }

    /// Locks the state, after everything that is due has happened.
    pub(crate) fn lock(&self) -> MutexGuard<'_, PlatformState> {
        let mut state = self.lock_unsettled();
        state.settle(self.0.clock.now());
        state
    }

    /// Locks the state as the last change left it.
    pub(crate) fn lock_unsettled(&self) -> MutexGuard<'_, PlatformState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }
}
