//! Handles for tests: the platform, its installs and apps, faults, and serving.

pub(super) mod app;
pub(super) mod fault;
pub(super) mod install;
pub(super) mod install_builder;
pub(super) mod installs;
pub(super) mod platform;
mod record;
mod router;
pub(super) mod serve;
mod snapshot;
mod webhooks;
