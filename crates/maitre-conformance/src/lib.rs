#![doc = include_str!("../README.md")]

mod address;
mod check;
mod cloudcontrol;
mod error;
mod heroku;
mod made;
mod marketplace;
mod opperator;
mod report;
mod rules;
mod run;
mod seen;
mod select;
mod serve;
mod sign_on;
mod suite;
mod verdict;
mod wire;

pub use self::{
    address::Address,
    check::{Capability, Check, Clause, Level, Source},
    error::CannotRun,
    marketplace::{Marketplace, UnknownMarketplace},
    report::{Figures, Finding, Report},
    suite::Suite,
    verdict::{Exchange, Failure, Outcome},
};
