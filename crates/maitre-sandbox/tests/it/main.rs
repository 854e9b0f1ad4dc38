//! The marketplace from outside: what it asks an add-on, what the add-on and the customer ask it, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod customers;
mod faults;
mod files;
mod guard;
mod installs;
mod later;
mod recordings;
mod retries;
mod support;
mod vendors;
mod webhooks;
