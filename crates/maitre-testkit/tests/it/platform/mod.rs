//! Tests of the simulated platform with a vendor's requests.

mod vendor;

mod apps;
mod events;
mod faults;
mod inventory;
mod lifecycle;
mod oauth;
mod rules;
mod snapshot;
mod webhooks;
