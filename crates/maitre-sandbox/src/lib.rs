#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod activity;
mod addon;
mod apps;
mod bind;
mod builder;
mod contract;
mod customer;
mod dispatch;
mod entry;
mod error;
mod events;
mod fault;
mod guard;
mod inject;
mod inspect;
mod journal;
mod lifecycle;
mod listing;
mod manifests;
mod names;
mod page;
mod plan;
mod platform_events;
mod recording;
mod resend;
mod reset;
mod retry;
mod sandbox;
mod send;
mod serve;
mod sign_on;
mod state;
mod trial;

pub use maitre_conformance::{Marketplace, SetupError};

pub use self::{
    activity::{Activity, ActivityLine},
    bind::bind,
    builder::SandboxBuilder,
    error::ParseError,
    fault::{Chaos, Fault},
    plan::Plan,
    recording::{Recording, RecordingFormat, ReplayedCall},
    sandbox::Sandbox,
    serve::Serving,
};
