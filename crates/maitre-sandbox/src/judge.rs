//! What is wrong with an answer of the add-on, and which check of the conformance suite explains it.

use maitre_testkit::{Reply, platform::Rule};
use serde_json::Value;

use crate::{
    addon::Addon,
    entry::{Finding, Kind},
};

/// Heroku asks for an answer within this time; it waits for longer.
const PROMPT: u64 = 3_000;

/// What is wrong with the answer to a call of Heroku's.
pub(crate) fn answer(addon: &Addon, kind: Kind, reply: &Reply, took: u64) -> Vec<Finding> {
    let mut found = Findings(Vec::new());
    match (kind, reply.status()) {
        (Kind::Provision | Kind::PlanChange | Kind::Deprovision, 401) => {
            found.add("heroku.auth.right-credentials", "It does not take the password of its own manifest.");
        }
        (Kind::Provision, 200..=202) => provisioned(addon, reply, &mut found),
        (Kind::Provision, 422) => found.refusal(reply, "heroku.provision.refusal"),
        (Kind::Provision, 410) | (Kind::PlanChange, 404 | 410) | (Kind::Deprovision, 200 | 204 | 404 | 410) => {}
        (Kind::Provision, status) => {
            found.add(
                "heroku.provision.succeeds",
                format!("An order is answered 200 or 202, or 422 to refuse it, not {status}."),
            );
        }
        (Kind::PlanChange, 200 | 202) => plan_changed(reply, &mut found),
        (Kind::PlanChange, 422) => found.refusal(reply, "heroku.plan-change.refusal"),
        (Kind::PlanChange, status) => {
            found.add(
                "heroku.plan-change.succeeds",
                format!("A plan change is answered 200, or 422 to refuse it, not {status}."),
            );
        }
        (Kind::Deprovision, 202) => {
            found.add(
                "heroku.deprovision.status",
                "202 is for add-ons that Heroku enabled asynchronous deprovisioning for.",
            );
        }
        (Kind::Deprovision, status) => {
            found.add("heroku.deprovision.succeeds", format!("A removal is answered 204, not {status}."));
        }
        _ => {}
    }
    if took > PROMPT && matches!(kind, Kind::Provision | Kind::PlanChange | Kind::Deprovision) {
        let seconds = took / 1_000;
        found.add(
            "heroku.provision.prompt",
            format!("It took {seconds} s: Heroku asks for 3 s, and gives up after 25."),
        );
    }
    found.0
}

fn provisioned(addon: &Addon, reply: &Reply, found: &mut Findings) {
    if !found.is_object(reply, "heroku.provision.json") {
        return;
    }
    let body = json(reply);
    if !reply.header("content-type").is_some_and(|kind| kind.contains("json")) {
        found.add("heroku.provision.content-type", "The answer is JSON, and its content type does not say so.");
    }
    if !matches!(&body["id"], Value::Number(_)) && body["id"].as_str().is_none_or(str::is_empty) {
        found.add("heroku.provision.id", "The answer holds no id.");
    }
    if reply.status() == 202 && !body["config"].is_null() {
        found.add("heroku.async.no-config", "An answer with 202 holds no config vars: they are set when it is done.");
    }
    if reply.status() != 202 {
        found.config(reply, "heroku.config.object");
    }
    if addon.has("syslog_drain") && !body["log_drain_url"].is_string() {
        found.add(
            "heroku.provision.log-drain-url",
            "The manifest requires syslog_drain, and the answer holds no log_drain_url.",
        );
    }
}

fn plan_changed(reply: &Reply, found: &mut Findings) {
    if found.is_object(reply, "heroku.plan-change.json") {
        found.config(reply, "heroku.config.plan-change");
    }
}

/// What is wrong when a stranger with a wrong password is not shown the door.
pub(crate) fn stranger(kind: Kind, status: Option<u16>) -> Option<Finding> {
    let check = match kind {
        Kind::PlanChange => "heroku.auth.wrong-password-plan-change",
        Kind::Deprovision => "heroku.auth.wrong-password-deprovision",
        _ => "heroku.auth.wrong-password-provision",
    };
    match status {
        Some(401) | None => None,
        Some(status) => Some(Finding::new(check, format!("A wrong password is answered 401, not {status}."))),
    }
}

/// An answer, be it remembered or just come.
pub(crate) struct Said<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl<'a> From<&'a Reply> for Said<'a> {
    fn from(reply: &'a Reply) -> Self {
        Self { status: reply.status(), body: reply.body() }
    }
}

impl Said<'_> {
    fn succeeds(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(self.body).unwrap_or_default()
    }
}

/// What is wrong when an order is sent for an add-on that was removed.
pub(crate) fn after_removal(kind: Kind, answer: &Said<'_>) -> Option<Finding> {
    let wrong = kind == Kind::Provision && answer.succeeds();
    let sentence = "An order that comes after the removal is answered 410, and makes nothing.";
    wrong.then(|| Finding::new("heroku.idempotency.stays-removed", sentence))
}

/// What is wrong when the same call, sent twice, is answered in two ways.
pub(crate) fn twice(kind: Kind, first: &Said<'_>, second: &Said<'_>, at_once: bool) -> Option<Finding> {
    if kind == Kind::SignOn {
        let both_are_in = first.status == second.status && matches!(second.status, 302 | 303);
        return both_are_in
            .then(|| Finding::new("heroku.sso-window.one-use", "A form that was used lets somebody in once more."));
    }
    if kind != Kind::Provision || !first.succeeds() {
        return None;
    }
    let check = if at_once { "heroku.idempotency.at-once" } else { "heroku.idempotency.same-uuid-again" };
    let (was, is) = (first.json(), second.json());
    if !second.succeeds() {
        let check = if at_once { "heroku.idempotency.at-once-succeeds" } else { check };
        let status = second.status;
        return Some(Finding::new(
            check,
            format!("The same order, sent twice, is answered as the first time, not {status}."),
        ));
    }
    if was["id"] != is["id"] {
        return Some(Finding::new(check, "The same order, sent twice, made two resources: the ids differ."));
    }
    let (before, after) = (&was["config"], &is["config"]);
    (before.is_object() && after.is_object() && before != after).then(|| {
        Finding::new("heroku.idempotency.same-config", "The same order, sent twice, has two sets of config vars.")
    })
}

/// What is wrong when there is no answer at all.
pub(crate) fn silence(kind: Kind, sentence: &str) -> Option<Finding> {
    let check = match kind {
        Kind::Provision => "heroku.provision.succeeds",
        Kind::PlanChange => "heroku.plan-change.succeeds",
        Kind::Deprovision => "heroku.deprovision.succeeds",
        _ => return None,
    };
    Some(Finding::new(check, sentence))
}

/// The check that a rule of the platform belongs to; none where the answer that broke it is judged here.
pub(crate) fn check_of(rule: Rule) -> Option<&'static str> {
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

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, check: &str, sentence: impl Into<String>) {
        self.0.push(Finding::new(check, sentence));
    }

    fn is_object(&mut self, reply: &Reply, check: &str) -> bool {
        let is_object = json(reply).is_object();
        if !is_object {
            self.add(check, "The answer is no JSON object.");
        }
        is_object
    }

    fn refusal(&mut self, reply: &Reply, check: &str) {
        if json(reply)["message"].as_str().is_none_or(str::is_empty) {
            self.add(check, "A refusal holds a message, which is what the customer sees.");
        }
    }

    fn config(&mut self, reply: &Reply, check: &str) {
        let body = json(reply);
        let config = match &body["config"] {
            Value::Null => return,
            Value::Object(config) => config,
            _ => return self.add(check, "config is an object of names and texts."),
        };
        for (name, value) in config {
            match value.as_str() {
                None => self.add(check, format!("The value of {name} is no text.")),
                Some(url) if name.ends_with("_URL") && !has_host(url) => {
                    self.add("heroku.config.urls", format!("The value of {name} is no URL with scheme and host."));
                }
                Some(_) => {}
            }
        }
    }
}

fn has_host(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.starts_with('/') && !rest.is_empty())
}

fn json(reply: &Reply) -> Value {
    serde_json::from_slice(reply.body()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use maitre_conformance::{Marketplace, checks};

    #[test]
    fn every_check_that_is_named_here_exists() {
        let source = include_str!("judge.rs");
        let named: Vec<_> =
            source.split('"').filter(|text| text.starts_with("heroku.") && !text.contains(' ')).collect();
        assert!(named.len() > 30, "{named:?}");
        for id in named.iter().filter(|id| **id != "heroku.") {
            assert!(checks(Marketplace::Heroku).any(|check| check.id == *id), "{id}");
        }
    }
}
