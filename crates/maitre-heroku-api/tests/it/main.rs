//! Tests of the requests that the client sends, and of its handling of responses.

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
