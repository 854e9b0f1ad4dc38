//! Runs the checks on a correct sample add-on and on many faulty ones.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod lint;
mod mutants;
mod runs;
mod sample_addon;
