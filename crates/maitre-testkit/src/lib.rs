#![doc = include_str!("../README.md")]

mod call;
pub mod cloudcontrol;
mod cookie;
mod door;
mod error;
pub mod heroku;
mod json;
mod mask;
pub mod opperator;
mod pace;
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
    reply::Reply,
    request::Request,
    sso::{Form, SignOn},
    visitor::{Visit, Visitor},
};
