//! Integration tests of the routers, the ledger and the sandbox over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod async_provisioning;
#[cfg(feature = "browser")]
mod browser;
mod clevercloud;
mod cloudcontrol;
mod compile_errors;
mod conformance;
mod database_outages;
mod digitalocean;
mod disconnects;
mod golden_vectors;
mod heroku;
mod large_bodies;
#[macro_use]
mod ledger;
mod health;
mod ledger_command;
mod logs;
mod malformed;
mod marketplace_table;
mod metrics;
mod nesting;
mod opperator;
mod osb;
mod panics;
mod platform;
mod platforms;
mod properties;
mod quicknode;
mod redirects;
mod rolling_deploy;
mod rotations;
mod saas;
mod saas_apis;
mod saas_marketplaces;
mod saas_vercel;
mod sandbox;
mod sandbox_marketplaces;
mod scalingo;
mod serve_limits;
mod sessions;
mod small_examples;
mod source_rules;
mod support;
mod throttling;
mod tutorial;
mod untrusted_text;
mod unwritable_log;
mod vercel;
mod wire;
