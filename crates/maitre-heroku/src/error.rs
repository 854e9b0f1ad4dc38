use crate::api;

/// Error of a call to Heroku's API for a resource.
///
/// In a listener `?` converts it into [`Failure::unavailable`](maitre_core::Failure::unavailable), like any other error.
pub type Error = maitre_platform::Error<api::Error>;
