//! Checks of QuickNode's provisioning APIs.

mod auth;
mod created;
mod deactivate;
mod deprovision;
mod health;
mod provision;
mod sso;
mod target;
mod update;

use std::time::Duration;

pub(crate) use self::target::{Secrets, Target};

use crate::check::{Case, Citation, Source};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

/// Time after which a request counts as failed. QuickNode does not document it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(25);

/// All checks by group, in the order in which they are listed.
pub(crate) const GROUPS: &[&[Case<Target>]] =
    &[auth::CASES, provision::CASES, update::CASES, deactivate::CASES, deprovision::CASES, sso::CASES, health::CASES];

/// A rule of QuickNode's guide to provisioning.
const fn guide(summary: &'static str) -> Citation {
    Citation { source: Source::Document("QuickNode: How provisioning works"), summary }
}

/// A rule of QuickNode's guide to single sign-on.
const fn sso_guide(summary: &'static str) -> Citation {
    Citation { source: Source::Document("QuickNode: How SSO works"), summary }
}

/// A rule of QuickNode's own checker.
const fn checker(summary: &'static str) -> Citation {
    Citation { source: Source::Code("quiknode-labs/qn-marketplace-cli"), summary }
}

/// A rule that is not written anywhere.
const fn practice(summary: &'static str) -> Citation {
    Citation { source: Source::Practice, summary }
}

const SUCCESS: &str = "Answer 200 with {\"status\": \"success\"}: QuickNode's checker accepts no other status.";

/// Requires the success of a request: 200 with a JSON object.
fn must_succeed(response: &Response) -> Verdict {
    response.must_be(&[200], SUCCESS)?;
    if response.json().is_some_and(|body| body.is_object()) {
        return Ok(());
    }
    Err(response.fault("The response is not a JSON object.", SUCCESS))
}

/// Skips the check unless an ordinary request, which has a check of its own, succeeds.
fn skip_unless_ok(response: &Response, request: &str, check: &str) -> Result<(), Stop> {
    match response.status() {
        200 => Ok(()),
        status => Err(Stop::skipped(format!("{request} is answered {status} (see quicknode.{check})"))),
    }
}
