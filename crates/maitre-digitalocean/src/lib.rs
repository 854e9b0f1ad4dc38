#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod platform;

pub use self::{
    client::{Client, connect},
    platform::Platform,
};
pub use maitre_http::{CallError, JsonClient, JsonClientBuilder, Token};
pub use maitre_platform::Error;
