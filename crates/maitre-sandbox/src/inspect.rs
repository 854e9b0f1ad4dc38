//! Inspects the add-on's replies with the rules of the conformance checks.

use std::time::Duration;

use maitre_conformance::inspect::{self, Operation, ResponseParts};
use maitre_testkit::Reply;

use crate::{
    addon::Addon,
    entry::{Finding, Kind},
};

impl From<inspect::Finding> for Finding {
    fn from(finding: inspect::Finding) -> Self {
        Self::new(finding.check, format!("{} {}", finding.message, finding.advice))
    }
}

fn operation(kind: Kind) -> Option<Operation> {
    Some(match kind {
        Kind::Provision => Operation::Provision,
        Kind::PlanChange => Operation::PlanChange,
        Kind::Deprovision => Operation::Deprovision,
        _ => return None,
    })
}

/// Returns the parts of a reply that the rules inspect.
pub(crate) fn parts(reply: &Reply) -> ResponseParts<'_> {
    ResponseParts::new(reply.status(), reply.header("content-type"), reply.body())
}

/// Inspects the reply to a valid call of Heroku.
pub(crate) fn reply(addon: &Addon, kind: Kind, reply: &Reply, duration_ms: u64) -> Vec<Finding> {
    let Some(operation) = operation(kind) else { return Vec::new() };
    let mut findings = inspect::response(operation, &parts(reply), addon.has("syslog_drain"));
    findings.extend(inspect::duration(Duration::from_millis(duration_ms)));
    findings.into_iter().map(Finding::from).collect()
}

/// Inspects the reply to a call with a wrong password.
pub(crate) fn wrong_password(kind: Kind, reply: &Reply) -> Option<Finding> {
    inspect::wrong_password(operation(kind)?, &parts(reply)).map(Finding::from)
}

/// Inspects the reply to a provision whose resource was deprovisioned before.
pub(crate) fn after_deprovision(kind: Kind, response: &ResponseParts<'_>) -> Option<Finding> {
    if kind == Kind::Provision { inspect::provision_after_deprovision(response).map(Finding::from) } else { None }
}

/// Inspects the reply to a repeated call. `concurrent` is whether both calls were in flight together.
pub(crate) fn repeated(
    kind: Kind,
    first: &ResponseParts<'_>,
    second: &ResponseParts<'_>,
    concurrent: bool,
) -> Option<Finding> {
    let finding = match kind {
        Kind::Provision => inspect::repeated_provision(first, second, concurrent),
        Kind::SignOn => inspect::repeated_sign_on(first, second),
        _ => None,
    };
    finding.map(Finding::from)
}

/// Returns the finding for a call without a reply.
pub(crate) fn no_reply(kind: Kind, cause: &str) -> Option<Finding> {
    operation(kind).map(|operation| inspect::no_response(operation, cause).into())
}
