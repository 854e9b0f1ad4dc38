//! What really goes over the wire, seen by a server of the standard library; and Heroku's own side of its API, asked
//! as a vendor asks.

mod server;

mod browser;
mod calls;
#[cfg(feature = "platform")]
mod platform;
mod slow_body;
