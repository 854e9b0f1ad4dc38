#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base_url;
mod body;
mod call_error;
mod exchange;
mod json_call;
mod json_client;
mod open_enum;
mod rate_limit;
mod retry;
mod settings;
mod token;

pub use self::{
    base_url::{BaseUrl, InvalidUrl, segment},
    body::{authorization, basic_credentials, parse_json, read_body},
    call_error::{CallError, Refusal, message},
    exchange::{Reply, exchange},
    json_call::JsonCall,
    json_client::{JsonClient, JsonClientBuilder},
    rate_limit::RateLimiter,
    retry::{Retry, retry_after},
    settings::Settings,
    token::{Token, TokenResponse},
};
