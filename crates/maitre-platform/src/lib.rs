#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod connection;
mod error;
mod grants;
mod listed;
mod notify;
mod pages;
mod reconcile;
mod reconciliation;
mod resources;
mod sightings;
mod tokens;

pub use self::{
    config::{CurrentConfig, config_json},
    connection::Connection,
    error::Error,
    grants::{GRANT_JOB, exchange_job, run_exchange},
    listed::Listed,
    notify::{COMPLETION_DEADLINE, SendsConfig, notify, notify_in_time, set_config},
    pages::read_pages,
    reconcile::{Action, Reconcile},
    reconciliation::{Difference, Reconciliation, TooRecent},
    resources::{check_addon, provider_id, unknown_job},
    sightings::Reconciled,
    tokens::{IssuesTokens, call_with_token, token},
};
