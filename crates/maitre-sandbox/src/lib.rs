#![doc = include_str!("../README.md")]

mod addon;
mod carry;
mod customer;
mod error;
mod fault;
mod front;
mod guard;
mod journal;
mod judge;
mod live;
mod names;
mod page;
mod plan;
mod recording;
mod sandbox;
mod serve;
mod setup;
mod sign_on;

pub use self::{
    error::CannotOpen,
    fault::{Chaos, Fault},
    plan::{NoPlan, Plan},
    recording::{Format, Recording, Replayed},
    sandbox::Sandbox,
    serve::Serving,
    setup::Setup,
};
