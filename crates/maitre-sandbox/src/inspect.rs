//! Inspects the add-on's replies with the rules of the conformance checks.

use std::time::Duration;

use maitre_conformance::{
    Marketplace,
    inspect::{self, Operation, ResponseParts},
};
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

/// Inspects the reply to a valid call of the marketplace. `successes` are the statuses of a successful call.
pub(crate) fn reply(addon: &Addon, kind: Kind, reply: &Reply, successes: &[u16], duration_ms: u64) -> Vec<Finding> {
    let Some(operation) = operation(kind) else { return Vec::new() };
    let marketplace = addon.credentials.marketplace;
    if marketplace != Marketplace::Heroku {
        return by_status(marketplace, kind, reply.status(), successes).into_iter().collect();
    }
    let mut findings = inspect::response(operation, &parts(reply), addon.has("syslog_drain"));
    findings.extend(inspect::duration(Duration::from_millis(duration_ms)));
    findings.into_iter().map(Finding::from).collect()
}

/// Compares a status with those of a success, and names the check of the marketplace that explains the difference.
fn by_status(marketplace: Marketplace, kind: Kind, status: u16, successes: &[u16]) -> Option<Finding> {
    let check = match (kind, status) {
        _ if successes.contains(&status) => return None,
        (_, 401 | 403) => "auth.right-credentials",
        // a refusal, or a late retry
        (_, 404 | 410 | 422) => return None,
        _ => success_check(marketplace, kind),
    };
    let expected = successes.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    finding(marketplace, check, format!("The response has the status {status}. Expected: {expected}."))
}

/// Returns the check that a call of this kind succeeds.
fn success_check(marketplace: Marketplace, kind: Kind) -> &'static str {
    match kind {
        Kind::Provision => "provision.succeeds",
        Kind::PlanChange if marketplace == Marketplace::OpenServiceBroker => "update.succeeds",
        Kind::PlanChange => "plan-change.succeeds",
        _ => "deprovision.succeeds",
    }
}

/// Returns a finding of a check, if the marketplace has that check.
fn finding(marketplace: Marketplace, check: &str, message: String) -> Option<Finding> {
    let id = format!("{marketplace}.{check}");
    maitre_conformance::checks(marketplace).any(|known| known.id == id).then(|| Finding::new(&id, message))
}

/// Inspects the reply to a call with a wrong password.
pub(crate) fn wrong_password(marketplace: Marketplace, kind: Kind, reply: &Reply) -> Option<Finding> {
    let operation = operation(kind)?;
    if marketplace == Marketplace::Heroku {
        return inspect::wrong_password(operation, &parts(reply)).map(Finding::from);
    }
    let check = match kind {
        Kind::Provision => "auth.wrong-password-provision",
        Kind::PlanChange if marketplace == Marketplace::OpenServiceBroker => "auth.wrong-password-update",
        Kind::PlanChange => "auth.wrong-password-plan-change",
        _ => "auth.wrong-password-deprovision",
    };
    let is_refused = matches!(reply.status(), 401 | 403);
    let message = format!("A call with a wrong password was answered {}.", reply.status());
    if is_refused { None } else { finding(marketplace, check, message) }
}

/// Inspects the reply to a provision whose resource was deprovisioned before.
pub(crate) fn after_deprovision(marketplace: Marketplace, kind: Kind, response: &ResponseParts<'_>) -> Option<Finding> {
    let is_inspected = marketplace == Marketplace::Heroku && kind == Kind::Provision;
    if is_inspected { inspect::provision_after_deprovision(response).map(Finding::from) } else { None }
}

/// Inspects the reply to a repeated call. `concurrent` is whether both calls were in flight together.
pub(crate) fn repeated(
    marketplace: Marketplace,
    kind: Kind,
    first: &ResponseParts<'_>,
    second: &ResponseParts<'_>,
    concurrent: bool,
) -> Option<Finding> {
    if marketplace != Marketplace::Heroku {
        return repeated_elsewhere(marketplace, kind, first, second);
    }
    let finding = match kind {
        Kind::Provision => inspect::repeated_provision(first, second, concurrent),
        Kind::SignOn => inspect::repeated_sign_on(first, second),
        _ => None,
    };
    finding.map(Finding::from)
}

/// Compares the ids in the responses to the same provision.
fn repeated_elsewhere(
    marketplace: Marketplace,
    kind: Kind,
    first: &ResponseParts<'_>,
    second: &ResponseParts<'_>,
) -> Option<Finding> {
    let id = |parts: &ResponseParts<'_>| parts.id().filter(|_| parts.is_success());
    let (one, other) = id(first).zip(id(second)).filter(|_| kind == Kind::Provision)?;
    let message = format!("The same provision was answered with the ids {one} and {other}.");
    if one == other { None } else { finding(marketplace, "idempotency.same-id", message) }
}

/// Returns the finding for a call without a reply.
pub(crate) fn no_reply(marketplace: Marketplace, kind: Kind, cause: &str) -> Option<Finding> {
    let operation = operation(kind)?;
    if marketplace == Marketplace::Heroku {
        return Some(inspect::no_response(operation, cause).into());
    }
    finding(marketplace, success_check(marketplace, kind), cause.to_owned())
}
