//! Scalingo.

use std::collections::BTreeMap;

use axum::Router;
use maitre_conformance::Marketplace;
use maitre_testkit::{
    Reply, Request, Scalingo,
    apis::ScalingoApi,
    platform::{Install, Platform, State},
};
use time::OffsetDateTime;

use super::{
    basic,
    credentials::Credentials,
    definition::{Action, Contract, Profile, SignOnForm, Visit},
    facts::Facts,
    fields::{customer_digits, options, path_id},
    suspension,
};
use crate::entry::Kind;

const PROFILE: Profile = Profile {
    marketplace: Marketplace::Scalingo,
    customer: "App",
    options: Some("Options"),
    regions: &[],
    is_one_per_app: true, // its API names a resource by its app
    api: Some("https://api.osc-fr1.scalingo.com/v1"),
    api_calls: &[("config", "PATCH", "/provider/apps/*"), ("list", "GET", "/provider/apps")],
    has_tokens: false,
    sign_on_check: Some("scalingo.sso-token.lets-in"),
    deletes_orphans: false,
};

pub(super) struct ScalingoContract {
    scalingo: Scalingo,
    /// Client for single sign-on, and the path.
    sso: (Scalingo, String),
    api: ScalingoApi,
    platform: Platform,
    facts: Facts,
    config_vars: Vec<String>,
}

impl ScalingoContract {
    pub(super) fn new(credentials: &Credentials, platform: &Platform, facts: &Facts) -> Self {
        let Credentials { root, id, password, salt, .. } = credentials;
        let (origin, path) = basic::sso_of(credentials);
        Self {
            scalingo: Scalingo::new(root, id, password, salt),
            sso: (Scalingo::new(&origin, id, password, salt), path),
            api: ScalingoApi::new(id, password),
            platform: platform.clone(),
            facts: facts.clone(),
            config_vars: credentials.config_vars.clone(),
        }
    }

    /// Scalingo does not permit names that are not in the manifest.
    fn name(&self, name: &str) -> Option<String> {
        self.config_vars.iter().find(|known| *known == name).cloned()
    }

    fn app_id(&self, install: &Install) -> String {
        customer_digits(&self.platform, install)[..24].to_owned()
    }
}

impl Contract for ScalingoContract {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn successes(&self, kind: Kind) -> &'static [u16] {
        match kind {
            Kind::Provision => &[200, 201, 202],
            Kind::PlanChange => &[200, 202],
            _ => &[200, 204],
        }
    }

    fn provision(&self, install: &Install) -> Request {
        let call = self.scalingo.provision(&install.plan()).set("uuid", format!("ad-{}", install.uuid()));
        call.set("app_id", self.app_id(install)).set("options", options(install)).request()
    }

    fn plan_change(&self, install: &Install, plan: &str) -> Request {
        self.scalingo.plan_change(&path_id(install), plan).request()
    }

    fn deprovision(&self, install: &Install) -> Request {
        self.scalingo.deprovision(&path_id(install)).request()
    }

    fn sign_on(&self, install: &Install, visit: &Visit) -> SignOnForm {
        basic::sign_on(self.sso.0.single_sign_on(&path_id(install)), &self.sso.1, visit)
    }

    fn renew_sign_on(&self, fields: &BTreeMap<String, String>, at: OffsetDateTime) -> Option<SignOnForm> {
        let call = self.sso.0.single_sign_on(fields.get("id")?);
        Some(basic::sign_on(call, &self.sso.1, &basic::visit(fields, "email", at)))
    }

    fn record_provision(&self, install: &Install, reply: &Reply) {
        basic::record_provision(install, reply, |name| self.name(name));
    }

    fn record_plan_change(&self, install: &Install, plan: &str, reply: &Reply) {
        basic::record_plan_change(install, plan, reply, |name| self.name(name));
    }

    fn actions(&self, install: &Install) -> Vec<Action> {
        suspension::actions(&self.facts, install)
    }

    fn act(&self, install: &Install, action: &str, _value: &str) -> Option<Request> {
        match action {
            "suspend" => Some(self.scalingo.suspend(&path_id(install)).request()),
            "reinstate" => Some(self.scalingo.resume(&path_id(install)).request()),
            _ => None,
        }
    }

    fn record_action(&self, install: &Install, action: &str, _reply: &Reply) {
        suspension::record(&self.facts, install, action);
    }

    fn api(&self) -> Option<Router> {
        Some(self.api.router())
    }

    fn update_api(&self, install: &Install) {
        let app_id = self.app_id(install);
        match (install.state(), install.provider_id()) {
            (State::Deprovisioned, _) => self.api.remove_app(&app_id),
            (_, Some(id)) => {
                self.api.add_app(&app_id, &id, &install.plan());
                self.api.set_config(&app_id, install.config());
            }
            (_, None) => {}
        }
    }

    /// A provision that was answered 202 is completed by its config vars.
    fn apply_reports(&self, install: &Install) {
        let values = self.api.config(&self.app_id(install)).into_iter();
        let values: BTreeMap<_, _> = values.filter(|(name, _)| self.name(name).is_some()).collect();
        let is_complete = !values.is_empty();
        if values != install.config() {
            install.replace_config(values);
        }
        if is_complete {
            install.complete_provision();
        }
    }
}
