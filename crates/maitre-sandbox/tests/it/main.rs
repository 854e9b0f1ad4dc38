//! Tests over real sockets: the sandbox's calls to an add-on, and its APIs and its page.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

mod asynchronous;
mod broker;
mod customer_api;
mod customer_apps;
mod faults;
mod guard;
mod installs;
mod other_marketplaces;
mod page;
mod recordings;
mod retries;
mod state_file;
mod support;
mod vendor_api;
mod vendor_manifests;
mod webhooks;
