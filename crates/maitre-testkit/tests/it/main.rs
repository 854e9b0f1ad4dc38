//! Tests of the bytes that are sent, with a server of the standard library, and of the simulated platform.

mod server;

mod browser;
mod calls;
#[cfg(feature = "platform")]
mod platform;
mod slow_body;
#[cfg(feature = "vercel")]
mod vercel;
