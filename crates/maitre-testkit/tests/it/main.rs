//! What really goes over the wire, seen by a server of the standard library; and Heroku's own side of its API, asked
//! as a vendor asks.

mod server;

mod calls;
mod pace;
#[cfg(feature = "platform")]
mod platform;
mod visitor;
