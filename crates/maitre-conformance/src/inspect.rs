//! Inspects single exchanges with an add-on, with the rules of the checks.
//!
//! ```
//! use maitre_conformance::inspect::{self, Operation, ResponseParts};
//!
//! let response = ResponseParts::new(200, Some("application/json"), br#"{"id":"","config":{"LANTERN_URL":"x"}}"#);
//! let findings = inspect::response(Operation::Provision, &response, false);
//! let checks: Vec<_> = findings.iter().map(|finding| finding.check).collect();
//! assert_eq!(checks, ["heroku.provision.id", "heroku.config.urls"]);
//! ```

use std::time::Duration;

use maitre_testkit::platform::Rule;

use crate::rules::{self, Problem};

pub use crate::rules::ResponseParts;

/// Operation that a request performs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// `POST` of a new resource.
    Provision,
    /// `PUT` of a new plan.
    PlanChange,
    /// `DELETE` of a resource.
    Deprovision,
}

/// Violation of a rule in one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Id of the check for the rule.
    pub check: &'static str,
    /// Observed behavior, and why it is wrong.
    pub message: String,
    /// Suggested fix.
    pub advice: String,
}

impl Finding {
    fn new(check: &'static str, problem: Problem) -> Self {
        Self { check, message: problem.message, advice: problem.advice }
    }
}

fn finding(check: &'static str, rule: Result<(), Problem>) -> Option<Finding> {
    rule.err().map(|problem| Finding::new(check, problem))
}

/// Inspects the response to a valid request of Heroku. `requires_log_drain` is whether the manifest requires
/// `syslog_drain`.
#[must_use]
pub fn response(operation: Operation, response: &ResponseParts<'_>, requires_log_drain: bool) -> Vec<Finding> {
    if response.status == 401 {
        let problem = response.wrong_status("a success", "Compare the credentials with the manifest's.");
        return vec![Finding::new("heroku.auth.right-credentials", problem)];
    }
    match operation {
        Operation::Provision => provision(response, requires_log_drain),
        Operation::PlanChange => plan_change(response),
        Operation::Deprovision => deprovision(response).into_iter().collect(),
    }
}

fn provision(response: &ResponseParts<'_>, requires_log_drain: bool) -> Vec<Finding> {
    match response.status {
        422 => {
            return finding("heroku.provision.refusal", rules::is_refused_with_message(response)).into_iter().collect();
        }
        410 => return Vec::new(), // a late retry
        _ => {}
    }
    if let Some(finding) = finding("heroku.provision.succeeds", rules::provision_succeeded(response)) {
        return vec![finding];
    }
    if let Err(problem) = rules::object(response) {
        return vec![Finding::new("heroku.provision.json", problem)];
    }
    let is_asynchronous = response.status == 202;
    let mut findings: Vec<_> = [
        finding("heroku.provision.content-type", rules::has_json_type(response)),
        finding("heroku.provision.id", rules::has_id(response)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if is_asynchronous {
        findings.extend(finding("heroku.async.no-config", rules::is_without_config(response)));
    } else {
        findings.extend(config("heroku.config.object", response));
        if requires_log_drain {
            findings.extend(finding("heroku.provision.log-drain-url", rules::has_log_drain_url(response)));
        }
    }
    findings
}

fn plan_change(response: &ResponseParts<'_>) -> Vec<Finding> {
    match response.status {
        404 | 410 => return Vec::new(), // a late retry
        422 => {
            let rule = rules::is_refused_with_message(response);
            return finding("heroku.plan-change.refusal", rule).into_iter().collect();
        }
        _ => {}
    }
    if let Some(finding) = finding("heroku.plan-change.succeeds", rules::plan_change_answered(response)) {
        return vec![finding];
    }
    if response.status == 204 {
        return Vec::new();
    }
    match rules::object(response) {
        Ok(_) => config("heroku.config.plan-change", response),
        Err(problem) => vec![Finding::new("heroku.plan-change.json", problem)],
    }
}

fn deprovision(response: &ResponseParts<'_>) -> Option<Finding> {
    match response.status {
        200 | 404 | 410 => None, // a late retry, or a success of version 1
        202 => finding("heroku.deprovision.status", rules::deprovision_is_204(response)),
        _ => finding("heroku.deprovision.succeeds", rules::deprovision_succeeded(response)),
    }
}

fn config(check: &'static str, response: &ResponseParts<'_>) -> Vec<Finding> {
    match finding(check, rules::config_is_strings(response)) {
        Some(finding) => vec![finding],
        None => [
            finding("heroku.config.urls", rules::config_has_valid_urls(response)),
            finding("heroku.config.size", rules::config_fits(response)),
            finding("heroku.config.no-nul", rules::config_is_without_nul(response)),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// Inspects the duration of a request.
#[must_use]
pub fn duration(duration: Duration) -> Option<Finding> {
    finding("heroku.provision.prompt", rules::is_prompt(duration))
}

/// Inspects the response to a request with a wrong password.
#[must_use]
pub fn wrong_password(operation: Operation, response: &ResponseParts<'_>) -> Option<Finding> {
    let check = match operation {
        Operation::Provision => "heroku.auth.wrong-password-provision",
        Operation::PlanChange => "heroku.auth.wrong-password-plan-change",
        Operation::Deprovision => "heroku.auth.wrong-password-deprovision",
    };
    finding(check, rules::is_unauthorized(response))
}

/// Inspects the response to a repeated provision. `concurrent` is whether both requests were in flight together.
#[must_use]
pub fn repeated_provision(first: &ResponseParts<'_>, second: &ResponseParts<'_>, concurrent: bool) -> Option<Finding> {
    if !first.is_success() {
        return None;
    }
    let (succeeds, same_id) = if concurrent {
        ("heroku.idempotency.at-once-succeeds", "heroku.idempotency.at-once")
    } else {
        ("heroku.idempotency.same-uuid-again", "heroku.idempotency.same-uuid-again")
    };
    if !second.is_success() {
        return finding(succeeds, rules::repeated_succeeds(second));
    }
    let first_id = first.id()?; // a missing id is a finding of the first response
    finding(same_id, rules::has_same_id(&first_id, second)).or_else(|| {
        // an asynchronous provision sends its config vars later
        let has_config = |response: &ResponseParts<'_>| response.status != 202 && rules::config(response).is_ok();
        let is_comparable = has_config(first) && has_config(second);
        is_comparable.then(|| finding("heroku.idempotency.same-config", rules::has_same_config(first, second)))?
    })
}

/// Inspects the response to a provision whose resource was deprovisioned before.
#[must_use]
pub fn provision_after_deprovision(response: &ResponseParts<'_>) -> Option<Finding> {
    if response.is_success() {
        finding("heroku.idempotency.stays-removed", rules::stays_deprovisioned(response))
    } else {
        None
    }
}

/// Inspects the response to a sign-on form that was already used.
#[must_use]
pub fn repeated_sign_on(first: &ResponseParts<'_>, second: &ResponseParts<'_>) -> Option<Finding> {
    let both_signed_in = first.status == second.status && matches!(second.status, 302 | 303);
    if both_signed_in { finding("heroku.sso-window.one-use", rules::form_is_used_once(second)) } else { None }
}

/// Creates the finding for a request without a response.
#[must_use]
pub fn no_response(operation: Operation, cause: impl Into<String>) -> Finding {
    let check = match operation {
        Operation::Provision => "heroku.provision.succeeds",
        Operation::PlanChange => "heroku.plan-change.succeeds",
        Operation::Deprovision => "heroku.deprovision.succeeds",
    };
    Finding::new(check, Problem::new(cause, "Look in the add-on's log for a crash or a deadlock during this request."))
}

/// Returns the check for a rule of the fake platform, unless [`response`] already finds its violations.
#[must_use]
pub fn check_for_rule(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::NoProviderId => return None,
        Rule::RepeatedExchange => "heroku.platform.exchange-once",
        Rule::ConfigMissing => "heroku.async.config-first",
        Rule::Unregistered202 => "heroku.provision.status",
        Rule::CallAfterDeprovision => "heroku.async.quiet-after-removal",
        Rule::ForeignConfigVar => "heroku.config.listed",
        Rule::ChangedProviderId => "heroku.idempotency.same-uuid-again",
        Rule::NotAcceptable => "heroku.platform.accept",
        Rule::NoUserAgent => "heroku.platform.user-agent",
        Rule::SecretInQuery => "heroku.platform.no-secret-in-query",
        _ => "heroku.async.completes",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marketplace::Marketplace;
    use crate::registry::checks;

    #[test]
    fn every_named_check_exists() {
        let source = include_str!("inspect.rs");
        let ids = source.split('"').filter(|text| text.starts_with("heroku.") && !text.contains(' '));
        let ids: Vec<_> = ids.filter(|id| *id != "heroku.").collect();
        assert!(ids.len() > 30, "{ids:?}");
        for id in ids {
            assert!(checks(Marketplace::Heroku).any(|check| check.id == id), "{id}");
        }
    }

    #[test]
    fn a_repeated_provision_is_compared_with_the_first() {
        let parts = |status, body: &'static str| ResponseParts::new(status, None, body.as_bytes());
        let first = parts(200, r#"{"id":"7","config":{"A":"1"}}"#);
        let check = |second, concurrent| repeated_provision(&first, &second, concurrent).map(|finding| finding.check);
        assert_eq!(check(first, false), None);
        assert_eq!(check(parts(500, ""), true), Some("heroku.idempotency.at-once-succeeds"));
        assert_eq!(check(parts(409, ""), false), Some("heroku.idempotency.same-uuid-again"));
        assert_eq!(check(parts(200, r#"{"id":"8"}"#), true), Some("heroku.idempotency.at-once"));
        let other_config = parts(200, r#"{"id":"7","config":{"A":"2"}}"#);
        assert_eq!(check(other_config, false), Some("heroku.idempotency.same-config"));
        assert_eq!(repeated_provision(&parts(503, ""), &first, true), None);
    }
}
