//! The caller of a handler.

use std::sync::MutexGuard;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
    response::Response,
};
use serde_json::Value;

use super::{
    super::state::{shared::SharedState, store::PlatformState},
    problem::Problem,
    range,
};

/// The uuid of the add-on whose token authorized the request.
#[derive(Clone)]
pub(super) struct Authorized(pub(super) String);

/// The vendor that calls with the token of one add-on, and the platform's state.
pub(super) struct Vendor {
    /// The uuid of the add-on.
    pub(super) own: String,
    state: SharedState,
    headers: HeaderMap,
}

impl Vendor {
    pub(super) fn state(&self) -> MutexGuard<'_, PlatformState> {
        self.state.lock()
    }

    /// Locks the state if the path names the vendor's own add-on.
    pub(super) fn state_of(&self, addon: &str) -> Result<MutexGuard<'_, PlatformState>, Problem> {
        let mut state = self.state.lock();
        state.reachable(&self.own, addon)?;
        Ok(state)
    }

    /// Returns the requested page of these objects.
    pub(super) fn page(&self, objects: Vec<Value>, keys: &[&str], default: usize) -> Response {
        range::page(objects, keys, &self.headers, default)
    }
}

impl FromRequestParts<SharedState> for Vendor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, Problem> {
        let Authorized(own) = parts.extensions.get().cloned().ok_or_else(Problem::unauthorized)?;
        Ok(Self { own, state: state.clone(), headers: parts.headers.clone() })
    }
}
