//! Entities and their store. This layer knows no HTTP framework.

pub(super) mod addon;
pub(super) mod agenda;
pub(super) mod authorization;
pub(super) mod call_counts;
pub(super) mod calls;
pub(super) mod clock;
pub(super) mod customer_app;
pub(super) mod delivery;
pub(super) mod error;
pub(super) mod event;
pub(super) mod exchange;
pub(super) mod install_state;
pub(super) mod journal;
pub(super) mod lifecycle;
pub(super) mod objects;
pub(super) mod settings;
pub(super) mod shared;
pub(super) mod store;
pub(super) mod timestamp;
pub(super) mod tokens;
pub(super) mod vendor_replies;
pub(super) mod violation;
pub(super) mod webhook;
pub(super) mod webhook_events;
