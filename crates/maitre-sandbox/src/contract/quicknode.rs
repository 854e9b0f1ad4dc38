//! QuickNode. An account of a customer has endpoints, and each endpoint is an install.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use maitre_conformance::Marketplace;
use maitre_testkit::{
    QuickNode, Reply, Request,
    platform::{Install, Platform, State},
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    credentials::Credentials,
    definition::{Action, Contract, Profile, SignOnForm, Visit},
    facts::Facts,
    fields::{customer_digits, json_of},
};
use crate::entry::Kind;

const PROFILE: Profile = Profile {
    marketplace: Marketplace::QuickNode,
    customer: "Account",
    options: None,
    regions: &[],
    is_one_per_app: false,
    api: None,
    api_calls: &[],
    has_tokens: false,
    sign_on_check: Some("quicknode.sso.opens"),
    deletes_orphans: false,
};

const HEALTH: Action = Action::new("health", "Check health");

const DEPROVISION_ACCOUNT: Action = Action::new("deprovision-account", "Deprovision account");

/// Fact of an account: the URL of the dashboard, as the add-on has sent it.
const DASHBOARD: &str = "dashboard-url";

pub(super) struct QuickNodeContract {
    quicknode: QuickNode,
    /// URL of the dashboard if the add-on has sent none.
    default_dashboard: String,
    platform: Platform,
    facts: Facts,
}

impl QuickNodeContract {
    pub(super) fn new(credentials: &Credentials, platform: &Platform, facts: &Facts) -> Self {
        let Credentials { root, id, password, salt, sso_url, .. } = credentials;
        Self {
            quicknode: QuickNode::new(root, id, password, salt),
            default_dashboard: sso_url.clone().unwrap_or_else(|| format!("{root}/sso")),
            platform: platform.clone(),
            facts: facts.clone(),
        }
    }

    /// Returns the id of the account: 64 hexadecimal digits.
    fn account(&self, install: &Install) -> String {
        customer_digits(&self.platform, install).repeat(2)
    }

    /// Returns the live installs of the same account.
    fn endpoints(&self, install: &Install) -> impl Iterator<Item = Install> {
        let account = install.app();
        let installs = self.platform.installs().into_iter();
        installs.filter(move |other| other.app() == account && other.state() != State::Deprovisioned)
    }

    fn link(&self, account: &str, at: OffsetDateTime) -> SignOnForm {
        let dashboard = self.facts.get(account, DASHBOARD).unwrap_or_else(|| self.default_dashboard.clone());
        let call = self.quicknode.single_sign_on_at(&dashboard, account).set("iat", at.unix_timestamp());
        SignOnForm::link(call.request().url())
    }

    /// Records the URLs of a response.
    fn record_urls(&self, install: &Install, body: &Value) {
        let urls = ["dashboard-url", "access-url"];
        let urls = urls.into_iter().filter_map(|name| Some((name.to_owned(), body[name].as_str()?.to_owned())));
        let urls: BTreeMap<_, _> = urls.collect();
        if let Some(dashboard) = urls.get(DASHBOARD) {
            self.facts.set(&self.account(install), DASHBOARD, dashboard.as_str());
        }
        if !urls.is_empty() {
            install.replace_config(urls);
        }
    }
}

impl Contract for QuickNodeContract {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn successes(&self, _kind: Kind) -> &'static [u16] {
        &[200]
    }

    fn provision(&self, install: &Install) -> Request {
        self.quicknode.provision(&self.account(install), install.uuid(), &install.plan()).request()
    }

    fn plan_change(&self, install: &Install, plan: &str) -> Request {
        self.quicknode.update(&self.account(install), install.uuid(), plan).request()
    }

    /// The endpoint is deactivated, and the account stays.
    fn deprovision(&self, install: &Install) -> Request {
        self.quicknode.deactivate(&self.account(install), install.uuid()).request()
    }

    fn sign_on(&self, install: &Install, visit: &Visit) -> SignOnForm {
        self.link(&self.account(install), visit.at)
    }

    fn renew_sign_on(&self, fields: &BTreeMap<String, String>, at: OffsetDateTime) -> Option<SignOnForm> {
        let claims = BASE64_URL_SAFE_NO_PAD.decode(fields.get("jwt")?.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        Some(self.link(claims["quicknode_id"].as_str()?, at))
    }

    fn record_provision(&self, install: &Install, reply: &Reply) {
        let body = json_of(reply);
        let fields = json!({ "id": install.uuid(), "message": body["message"] });
        install.record_provision_as(reply.status(), &fields);
        self.record_urls(install, &body);
    }

    /// The plan is the account's.
    fn record_plan_change(&self, install: &Install, plan: &str, reply: &Reply) {
        let body = json_of(reply);
        for endpoint in self.endpoints(install) {
            endpoint.record_plan_change_as(plan, reply.status(), &json!({ "message": body["message"] }));
        }
        self.record_urls(install, &body);
    }

    fn actions(&self, install: &Install) -> Vec<Action> {
        if install.state() == State::Provisioned { vec![HEALTH, DEPROVISION_ACCOUNT] } else { Vec::new() }
    }

    fn act(&self, install: &Install, action: &str, _value: &str) -> Option<Request> {
        match action {
            "health" => Some(self.quicknode.health().request()),
            "deprovision-account" => Some(self.quicknode.deprovision(&self.account(install)).request()),
            _ => None,
        }
    }

    fn record_action(&self, install: &Install, action: &str, _reply: &Reply) {
        if action == DEPROVISION_ACCOUNT.name {
            self.endpoints(install).for_each(|endpoint| endpoint.remove_silently());
            self.facts.remove(&self.account(install), DASHBOARD);
        }
    }
}
