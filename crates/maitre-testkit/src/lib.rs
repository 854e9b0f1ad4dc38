#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "platform"),
    allow(rustdoc::broken_intra_doc_links, reason = "the README names the platform")
)]

#[cfg(feature = "platform")]
pub mod apis;
mod browser;
mod call;
mod clevercloud;
pub mod cloudcontrol;
mod cookie;
mod digitalocean;
mod endpoint;
mod error;
mod fields;
mod generate;
pub mod heroku;
mod install_fields;
mod json;
mod jwt_link;
pub mod mask;
pub mod opperator;
pub mod osb;
mod path;
#[cfg(feature = "platform")]
pub mod platform;
mod quicknode;
mod raw;
mod reply;
mod request;
mod scalingo;
mod send;
pub mod sign;
mod signed_form;
mod slow_body;
mod sso;
#[cfg(feature = "vercel")]
pub mod vercel;

pub use self::{
    browser::{Browser, Navigation},
    call::{Call, Kind},
    clevercloud::CleverCloud,
    cloudcontrol::CloudControl,
    cookie::{Cookie, ParseCookieError},
    digitalocean::DigitalOcean,
    error::Error,
    heroku::Heroku,
    install_fields::InstallFields,
    json::Json,
    jwt_link::JwtLink,
    opperator::Opperator,
    osb::Osb,
    quicknode::QuickNode,
    raw::Raw,
    reply::Reply,
    request::Request,
    scalingo::Scalingo,
    signed_form::SignedForm,
    sso::{Form, SignOn},
};
