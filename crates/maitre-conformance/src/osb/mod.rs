//! Checks of the Open Service Broker API.

mod auth;
mod binding;
mod catalog;
mod citation;
mod concurrency;
mod conflict;
mod created;
mod deprovision;
mod error;
mod fetch;
mod headers;
mod maintenance;
mod offer;
mod ordinary;
mod orphans;
mod polling;
mod provision;
mod robustness;
mod route;
mod rules;
mod suspension;
mod target;
mod unbind;
mod update;

pub(crate) use self::target::Target;

use std::time::Duration;

use crate::check::Case;

/// Time after which platforms usually count a request as failed.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

/// All checks by group, in the order in which they are listed.
pub(crate) const GROUPS: &[&[Case<Target>]] = &[
    catalog::CASES,
    auth::CASES,
    headers::CASES,
    provision::CASES,
    conflict::CASES,
    update::CASES,
    maintenance::CASES,
    binding::CASES,
    unbind::CASES,
    fetch::CASES,
    polling::CASES,
    deprovision::CASES,
    orphans::CASES,
    concurrency::CASES,
    robustness::CASES,
    error::CASES,
    suspension::CASES,
];
