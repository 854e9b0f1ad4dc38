//! Tests that run the command as its users do.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

#[cfg(target_os = "linux")]
mod answered;
mod check;
mod command;
mod docs;
mod manifest;
mod marketplaces;
mod run;
mod sandbox;
mod send;
mod shell;
mod sign;
