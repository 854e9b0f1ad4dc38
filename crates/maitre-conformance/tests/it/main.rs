//! Runs the checks on a correct sample add-on and on many faulty ones.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod broker_mutants;
mod broker_runs;
mod good_servers;
mod leftovers;
mod lint;
mod market_mutants;
mod mutants;
mod quicknode_mutants;
mod registry;
mod runs;
mod sample_addon;
mod sample_broker;
mod sample_market;
mod sample_quicknode;
mod sample_vercel;
mod vercel_mutants;
mod workers;
