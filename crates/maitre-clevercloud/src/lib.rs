#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod consumption;
mod platform;

pub use self::{
    client::{AddonDetails, AddonSummary, Client, connect},
    platform::Platform,
};
pub use maitre_http::{CallError, JsonClient, JsonClientBuilder};
pub use maitre_platform::{Action, CurrentConfig, Difference, Error, Reconcile, Reconciled, Reconciliation, TooRecent};
