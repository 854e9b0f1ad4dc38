//! The checks on a vendor that is right, and on many that are not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod mutants;
mod runs;
mod sample_addon;
