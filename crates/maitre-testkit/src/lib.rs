#![doc = include_str!("../README.md")]
#![cfg_attr(
    not(feature = "platform"),
    allow(rustdoc::broken_intra_doc_links, reason = "the README names the platform")
)]

mod call;
pub mod cloudcontrol;
mod cookie;
mod door;
mod error;
pub mod heroku;
mod json;
pub mod mask;
pub mod opperator;
mod pace;
#[cfg(feature = "platform")]
pub mod platform;
mod raw;
mod reply;
mod request;
pub mod sign;
mod sso;
mod visitor;

pub use self::{
    call::{Call, Kind},
    cloudcontrol::CloudControl,
    cookie::Cookie,
    error::Error,
    heroku::Heroku,
    json::Json,
    opperator::Opperator,
    raw::Raw,
    reply::Reply,
    request::Request,
    sso::{Form, SignOn},
    visitor::{Visit, Visitor},
};
