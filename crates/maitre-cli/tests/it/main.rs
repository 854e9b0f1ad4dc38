//! The command as its users type it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod check;
mod docs;
mod manifest;
mod run;
mod sandbox;
mod send;
mod shell;
mod sign;
