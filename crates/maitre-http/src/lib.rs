#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base_url;
mod body;
mod open_enum;
mod rate_limit;
mod retry;
mod settings;

pub use self::{
    base_url::{BaseUrl, InvalidUrl, segment},
    body::{bearer, read_body},
    rate_limit::RateLimiter,
    retry::{AttemptError, Retry, retry_after},
    settings::Settings,
};
