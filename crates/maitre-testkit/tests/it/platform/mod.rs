//! Heroku's own side, asked as a vendor asks.

mod vendor;

mod apps;
mod faults;
mod inventory;
mod lifecycle;
mod memory;
mod news;
mod oauth;
mod rules;
mod webhooks;
