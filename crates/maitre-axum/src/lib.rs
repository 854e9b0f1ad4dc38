#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod basic;
mod contract;
mod cookie;
mod data_error;
mod error_response;
mod form;
mod guard;
mod layers;
mod lifecycle;
mod log;
mod path;
mod payload;
mod rejection;
mod reply;
mod routes;
mod sso;
mod string_map;
mod task;
mod text;
mod with_extra;

pub use basic::{BasicMarketplace, verify_basic};
pub use contract::{Contract, SingleSignOn};
pub use cookie::{Cookie, nav_cookie};
pub use form::Form;
pub use lifecycle::{acknowledge, lifecycle, notice};
pub use payload::Payload;
pub use rejection::BodyRejection;
pub use reply::{ConfigJson, ReplyBody, json, no_content};
pub use routes::Routes;
pub use sso::{by_get as sso_by_get, by_post as sso_by_post};
pub use string_map::StringMap;
pub use task::drain;
pub use with_extra::WithExtra;

pub use maitre_core as core;
