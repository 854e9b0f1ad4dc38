#![doc = include_str!("../README.md")]

mod contract;
mod guard;
mod known;
mod layers;
mod lifecycle;
mod log;
mod payload;
mod reply;
mod sso;
mod task;

pub use contract::{Contract, SingleSignOn};
pub use guard::verify_basic;
pub use known::WithExtra;
pub use lifecycle::{acknowledge, lifecycle, plan_warning};
pub use payload::{BodyRejection, Payload, StringMap};
pub use reply::{ConfigJson, ReplyBody, json, no_content};
pub use sso::{Form, by_get as sso_by_get, by_post as sso_by_post, nav_cookie};
pub use task::drain;

pub use axum_extra::extract::cookie::Cookie;
pub use headers::ContentType;
pub use maitre_core as core;
