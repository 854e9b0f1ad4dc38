#![doc = include_str!("../README.md")]

mod config;
mod error;
mod follow;
mod grant;
mod platform;
mod reconcile;
mod rotation;
mod tell;
mod token;
mod webhooks;

pub use self::{
    error::Error,
    platform::Platform,
    reconcile::{Difference, Settled, Sighting, TooSoon},
    rotation::Rotate,
    webhooks::{Received, Webhooks},
};
pub use maitre_heroku_api::{self as api, Api, Client, Event, WebhookSecret};
