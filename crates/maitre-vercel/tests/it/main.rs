//! Tests against the test kit's fake of Vercel.

mod client;
mod kills;
mod outbox;
mod reports;
mod support;
