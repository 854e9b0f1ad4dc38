#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod abbreviate;
mod address;
mod basic;
mod check;
mod cleanup;
mod error;
mod hang_up;
mod heroku;
mod in_flight;
pub mod inspect;
mod level;
pub mod lint;
mod manifest_input;
mod marketplace;
mod one_of;
mod osb;
mod quicknode;
mod registry;
mod report;
mod response;
mod rules;
mod run;
mod schedule;
mod select;
mod serve;
mod sign_on;
mod subject;
mod suite;
mod timestamps;
mod tracker;
mod url;
mod vercel;
mod verdict;
mod wire;

pub use self::{
    address::Address,
    check::{Capability, Check, Citation, Source},
    error::SetupError,
    level::{Level, UnknownLevel},
    manifest_input::{parse_manifest, read_manifest},
    marketplace::{Marketplace, UnknownMarketplace},
    registry::checks,
    report::{CheckResult, Conclusion, Report, Summary},
    suite::{Suite, SuiteBuilder},
    url::split_origin,
    verdict::{Exchange, Failure, Outcome},
};
