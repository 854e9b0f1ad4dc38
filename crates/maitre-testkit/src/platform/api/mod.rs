//! Handlers of the HTTP API.

mod addons;
mod auth;
mod body;
mod callback;
mod customer_apps;
pub(super) mod exchange_id;
mod inventory;
mod log_drains;
mod oauth;
pub(super) mod problem;
mod range;
pub(super) mod router;
mod vendor;
mod webhooks;
