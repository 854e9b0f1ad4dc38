//! Heroku's own side, asked as a vendor asks.

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
