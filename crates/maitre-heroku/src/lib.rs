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
mod reload;
mod rotate;
mod rotation;
mod webhooks;

pub use self::{
    builder::PlatformBuilder,
    error::Error,
    platform::Platform,
    rotate::Rotate,
    webhooks::{Received, WebhookReceiver},
};
pub use maitre_heroku_api::{self as api, Api, Client, Event, WebhookSecret};
pub use maitre_platform::{Action, Difference, Reconcile, Reconciled, Reconciliation, TooRecent};
