#![doc = include_str!("../README.md")]

mod addon;
mod builder;
mod customer;
mod dispatch;
mod error;
mod events;
mod fault;
mod guard;
mod journal;
mod judge;
mod names;
mod page;
mod plan;
mod recording;
mod retry;
mod sandbox;
mod send;
mod serve;
mod sign_on;

pub use maitre_conformance::SetupError;

pub use self::{
    builder::SandboxBuilder,
    error::ParseError,
    fault::{Chaos, Fault},
    plan::Plan,
    recording::{Recording, RecordingFormat, ReplayedCall},
    sandbox::Sandbox,
    serve::Serving,
};
