#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod platform;

pub use self::{
    client::{App, AppSummary, Client, region},
    platform::Platform,
};
pub use maitre_http::{CallError, JsonClient, JsonClientBuilder};
pub use maitre_platform::{Action, CurrentConfig, Difference, Error, Reconcile, Reconciled, Reconciliation, TooRecent};
