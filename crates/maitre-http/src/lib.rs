#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base_url;
mod body;
mod call_error;
mod open_enum;
mod rate_limit;
mod retry;
mod settings;

pub use self::{
    base_url::{BaseUrl, InvalidUrl, segment},
    body::{authorization, parse_json, read_body},
    call_error::{CallError, Refusal, message},
    rate_limit::RateLimiter,
    retry::{Retry, retry_after},
    settings::Settings,
};
