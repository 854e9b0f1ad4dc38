//! Checks of Vercel's partner API for native integrations. The suite owns Vercel's side: keys, token endpoint and API.

mod auth;
mod citation;
mod claims;
mod created;
mod deprovision;
mod error;
mod events;
mod idempotency;
mod installation;
mod path;
mod pending;
mod plans;
mod provision;
mod purchase;
mod repl;
mod resource;
mod robustness;
mod role;
mod rotate;
mod rules;
mod signature;
mod sso;
mod target;
mod transfer;
mod uninstall;
mod update;
mod webhook;

use std::time::Duration;

pub(crate) use self::target::{Integration, Target, TargetOptions, no_platform};

use crate::check::Case;
use crate::response::Response;
use crate::verdict::Stop;

/// Time after which a request counts as failed. Vercel does not document it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(25);

/// All checks by group, in the order in which they are listed.
pub(crate) const GROUPS: &[&[Case<Target>]] = &[
    auth::CASES,
    signature::CASES,
    claims::CASES,
    role::CASES,
    path::CASES,
    installation::CASES,
    plans::CASES,
    provision::CASES,
    idempotency::CASES,
    resource::CASES,
    update::CASES,
    rotate::CASES,
    pending::CASES,
    repl::CASES,
    purchase::CASES,
    transfer::CASES,
    deprovision::CASES,
    uninstall::CASES,
    sso::CASES,
    webhook::CASES,
    error::CASES,
    robustness::CASES,
];

/// Skips the check unless an ordinary request, which has a check of its own, succeeds.
fn skip_unless_ok(response: &Response, request: &str, check: &str) -> Result<(), Stop> {
    if response.is_success() {
        return Ok(());
    }
    Err(Stop::skipped(format!("{request} is answered {} (see vercel.{check})", response.status())))
}

/// Skips the check if the add-on does not serve an optional route.
fn skip_if_absent(response: &Response, route: &str) -> Result<(), Stop> {
    match response.status() {
        404 | 405 | 501 => Err(Stop::skipped(format!("the add-on does not serve {route}, which is optional"))),
        _ => Ok(()),
    }
}
