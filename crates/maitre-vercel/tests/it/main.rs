//! Tests against the test kit's fake of Vercel.

mod client;
mod support;
