//! Clever Cloud.

use std::collections::BTreeMap;

use axum::Router;
use maitre_conformance::Marketplace;
use maitre_testkit::{
    CleverCloud, Reply, Request,
    apis::CleverCloudApi,
    platform::{Install, Platform, State},
};
use time::OffsetDateTime;

use super::{
    basic,
    credentials::Credentials,
    definition::{Contract, Profile, SignOnForm, Visit},
    fields::{customer_digits, options, path_id},
};
use crate::entry::Kind;

const PROFILE: Profile = Profile {
    marketplace: Marketplace::CleverCloud,
    customer: "Organization",
    options: Some("Options"),
    regions: &[],
    is_one_per_app: false,
    api: Some("https://api.clever-cloud.com/v2"),
    api_calls: &[
        ("config", "PUT", "/vendor/apps/*"),
        ("list", "GET", "/vendor/apps"),
        ("consumption", "POST", "/vendor/apps/*/consumptions"),
    ],
    has_tokens: false,
    sign_on_check: Some("clevercloud.sso-token.lets-in"),
    deletes_orphans: false,
};

pub(super) struct CleverCloudContract {
    clevercloud: CleverCloud,
    /// Client for single sign-on, and the path.
    sso: (CleverCloud, String),
    api: CleverCloudApi,
    platform: Platform,
    config_vars: Vec<String>,
}

impl CleverCloudContract {
    pub(super) fn new(credentials: &Credentials, platform: &Platform) -> Self {
        let Credentials { root, id, password, salt, .. } = credentials;
        let (origin, path) = basic::sso_of(credentials);
        Self {
            clevercloud: CleverCloud::new(root, id, password, salt),
            sso: (CleverCloud::new(&origin, id, password, salt), path),
            api: CleverCloudApi::new(id, password),
            platform: platform.clone(),
            config_vars: credentials.config_vars.clone(),
        }
    }

    /// Clever Cloud ignores names that are not in the manifest.
    fn name(&self, name: &str) -> Option<String> {
        self.config_vars.iter().find(|known| *known == name).cloned()
    }
}

fn key(install: &Install) -> String {
    format!("addon_{}", install.uuid())
}

impl Contract for CleverCloudContract {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn successes(&self, kind: Kind) -> &'static [u16] {
        if kind == Kind::Provision { &[200, 201] } else { &[200, 204] }
    }

    fn provision(&self, install: &Install) -> Request {
        let customer = customer_digits(&self.platform, install);
        let callback_url = format!("https://api.clever-cloud.com/v2/vendor/apps/{}", key(install));
        let call = self.clevercloud.provision(&install.plan()).set("addon_id", key(install));
        let call = call.set("owner_id", format!("orga_{customer}")).set("owner_name", install.app());
        call.set("callback_url", callback_url).set("options", options(install)).request()
    }

    fn plan_change(&self, install: &Install, plan: &str) -> Request {
        self.clevercloud.plan_change(&path_id(install), plan).request()
    }

    fn deprovision(&self, install: &Install) -> Request {
        self.clevercloud.deprovision(&path_id(install)).request()
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

    fn api(&self) -> Option<Router> {
        Some(self.api.router())
    }

    fn update_api(&self, install: &Install) {
        let key = key(install);
        match (install.state(), install.provider_id()) {
            (State::Deprovisioned, _) => self.api.remove_addon(&key),
            (_, Some(id)) => {
                self.api.add_addon(&key, &id, &install.plan());
                self.api.set_config(&key, install.config());
            }
            (_, None) => {}
        }
    }

    fn apply_reports(&self, install: &Install) {
        let values = self.api.config(&key(install)).into_iter();
        let values = values.filter_map(|(name, value)| Some((self.name(&name)?, value.as_str()?.to_owned())));
        let values: BTreeMap<_, _> = values.collect();
        if values != install.config() {
            install.replace_config(values);
        }
    }
}
