#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod call;
mod config;
mod error;
mod grant;
mod hooks;
mod job;
mod metrics;
mod notify;
mod platform;
mod reconcile;
mod reconciliation;
mod reload;
mod rotate;
mod rotation;
mod sightings;
mod token;
mod webhooks;

pub use self::{
    builder::PlatformBuilder,
    error::Error,
    platform::Platform,
    reconcile::Action,
    reconciliation::{Difference, Reconciliation, TooRecent},
    rotate::Rotate,
    sightings::Reconciled,
    webhooks::{Received, WebhookReceiver},
};
pub use maitre_heroku_api::{self as api, Api, Client, Event, WebhookSecret};
