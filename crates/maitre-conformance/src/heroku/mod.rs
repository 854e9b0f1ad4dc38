//! Checks of Heroku's contract.

mod asynchronous;
mod auth;
mod citation;
mod config;
mod deprovision;
mod fake_platform;
mod hang_up;
mod idempotency;
mod malformed;
mod manifest;
mod plan_change;
mod provision;
mod resource;
mod robustness;
mod secrets;
mod sso;
mod target;

pub(crate) use self::fake_platform::FakePlatform;
pub(crate) use self::target::Target;

use crate::check::Case;

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
