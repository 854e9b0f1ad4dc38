//! What the client sends, and what it makes of what comes back.

mod support;

mod answers;
mod lists;
mod network;
mod platform;
mod retries;
mod sent;
#[cfg(feature = "tls")]
mod tls;
mod tokens;
