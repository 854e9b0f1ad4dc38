#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod basic;
mod body;
mod contract;
mod cookie;
mod data_error;
mod error_reply;
mod events;
mod field;
mod form;
mod grant;
mod handles;
mod incoming;
mod log;
mod memory;
mod metrics;
mod operation;
mod payload;
mod reply;
mod route;
mod routes;
mod sso;
mod string_map;
mod tagged_json;
mod task;
mod text;
mod throttle;
mod with_extra;

pub use account::AccountOperation;
pub use basic::{BasicMarketplace, check_basic, verify_basic};
pub use contract::{Accepted, Call, Contract, Head};
pub use cookie::{Cookie, nav_cookie};
pub use error_reply::ErrorReply;
pub use events::{Event, Events};
pub use field::{TextOrNumber, required};
pub use form::Form;
pub use grant::GrantBody;
pub use handles::Handles;
pub use incoming::Incoming;
pub use metrics::record_secret_use;
pub use operation::{Change, Changed, Operation};
pub use payload::Payload;
pub use reply::{ConfigJson, ReplyBody, json, no_content};
pub use routes::{ReadError, ReadResult, Routes};
pub use sso::{SingleSignOn, complete_sign_on, single_sign_on};
pub use string_map::StringMap;
pub use tagged_json::TaggedJson;
pub use task::drain;
pub use with_extra::WithExtra;

pub use maitre_core as core;

/// Compiles the examples in `docs/`.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../docs/writing-a-marketplace-crate.md")]
    mod writing_a_marketplace_crate {}
}
