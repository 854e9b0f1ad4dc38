//! Checks of the Open Service Broker API.

mod catalog;
mod citation;
mod created;
mod offer;
mod rules;
mod target;

pub(crate) use self::target::Target;

use std::time::Duration;

use crate::check::Case;

/// Time after which platforms usually count a request as failed.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// All checks by group, in the order in which they are listed.
pub(crate) const GROUPS: &[&[Case<Target>]] = &[catalog::CASES];
