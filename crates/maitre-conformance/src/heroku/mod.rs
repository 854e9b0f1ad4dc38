//! Checks of Heroku's contract.

mod addon;
mod asynchronous;
mod auth;
mod citation;
mod config;
mod deprovision;
mod fake_platform;
mod idempotency;
mod malformed;
mod manifest;
mod plan_change;
mod provision;
mod resource;
mod robustness;
mod secrets;
mod setup;
mod sso;
mod target;

pub(crate) use self::addon::TargetOptions;
pub(crate) use self::fake_platform::FakePlatform;
pub(crate) use self::target::Target;

use std::time::Duration;

use crate::check::Case;

/// Time after which Heroku counts a request as failed.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(25);

/// All checks by group, in the order in which they run.
pub(crate) const GROUPS: &[&[Case<Target>]] = &[
    manifest::CASES,
    auth::CASES,
    provision::CASES,
    config::CASES,
    idempotency::CASES,
    plan_change::CASES,
    deprovision::CASES,
    sso::TOKENS,
    sso::WINDOW,
    sso::SESSION,
    malformed::CASES,
    robustness::CASES,
    asynchronous::CASES,
    secrets::CASES,
];
