//! DigitalOcean.

use std::collections::BTreeMap;

use axum::Router;
use maitre_conformance::Marketplace;
use maitre_testkit::{
    DigitalOcean, Reply, Request,
    apis::DigitalOceanApi,
    platform::{Install, Platform, State},
};
use serde_json::json;
use time::OffsetDateTime;

use super::{
    basic,
    credentials::Credentials,
    definition::{Action, Contract, Profile, SignOnForm, Visit},
    facts::Facts,
    fields::{customer_digits, options},
    merge::merge_config,
    suspension,
};
use crate::entry::Kind;

const RENAME: Action = Action { field: Some("New name"), ..Action::new("rename", "Rename") };

const PROFILE: Profile = Profile {
    marketplace: Marketplace::DigitalOcean,
    customer: "Team",
    options: Some("Metadata"),
    regions: &[],
    is_one_per_app: false,
    api: Some("https://api.digitalocean.com/v2"),
    api_calls: &[("token", "POST", "/add-ons/oauth/token"), ("config", "PATCH", "/add-ons/resources/*/config")],
    has_tokens: true,
    sign_on_check: Some("digitalocean.sso-token.lets-in"),
    deletes_orphans: false,
};

pub(super) struct DigitalOceanContract {
    digitalocean: DigitalOcean,
    /// Client for single sign-on, and the path.
    sso: (DigitalOcean, String),
    api: DigitalOceanApi,
    platform: Platform,
    facts: Facts,
    /// Prefix that DigitalOcean adds to the names of config vars.
    prefix: String,
    client_secret: String,
}

impl DigitalOceanContract {
    pub(super) fn new(credentials: &Credentials, platform: &Platform, facts: &Facts) -> Self {
        let Credentials { root, id, password, salt, client_secret, .. } = credentials;
        let (origin, path) = basic::sso_of(credentials);
        Self {
            digitalocean: DigitalOcean::new(root, id, password, salt),
            sso: (DigitalOcean::new(&origin, id, password, salt), path),
            api: DigitalOceanApi::with_clock(client_secret, platform.clock()),
            platform: platform.clone(),
            facts: facts.clone(),
            prefix: format!("{}_", id.to_uppercase().replace('-', "_")),
            client_secret: credentials.client_secret.clone(),
        }
    }

    /// Returns the name that a customer sees: with the prefix of the app.
    fn name(&self, bare: &str) -> String {
        if bare.starts_with(&self.prefix) { bare.to_owned() } else { format!("{}{bare}", self.prefix) }
    }
}

impl Contract for DigitalOceanContract {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn successes(&self, kind: Kind) -> &'static [u16] {
        if kind == Kind::Provision { &[200, 201] } else { &[200, 204] }
    }

    fn provision(&self, install: &Install) -> Request {
        let grant = install.grant();
        self.api.add_grant(grant.code(), install.uuid());
        let call = self.digitalocean.provision(&install.plan()).set("uuid", install.uuid());
        let call = call.set("resource_name", install.name()).set("metadata", options(install));
        let call = call.set("creator_id", format!("team-{}", &customer_digits(&self.platform, install)[..8]));
        let expires_at = grant.expires_at().unix_timestamp();
        let grant = json!({ "type": "authorization_code", "code": grant.code(), "expires_at": expires_at });
        call.set("oauth_grant", grant).request()
    }

    fn plan_change(&self, install: &Install, plan: &str) -> Request {
        self.digitalocean.plan_change(install.uuid(), plan).request()
    }

    fn deprovision(&self, install: &Install) -> Request {
        self.digitalocean.deprovision(install.uuid()).request()
    }

    fn sign_on(&self, install: &Install, visit: &Visit) -> SignOnForm {
        basic::sign_on(self.sso.0.single_sign_on(install.uuid()), &self.sso.1, visit)
    }

    fn renew_sign_on(&self, fields: &BTreeMap<String, String>, at: OffsetDateTime) -> Option<SignOnForm> {
        let call = self.sso.0.single_sign_on(fields.get("resource_uuid")?);
        Some(basic::sign_on(call, &self.sso.1, &basic::visit(fields, "user_email", at)))
    }

    fn record_provision(&self, install: &Install, reply: &Reply) {
        basic::record_provision(install, reply, |name| Some(self.name(name)));
    }

    fn record_plan_change(&self, install: &Install, plan: &str, reply: &Reply) {
        basic::record_plan_change(install, plan, reply, |name| Some(self.name(name)));
    }

    fn failed_deprovision(&self, install: &Install) -> Option<(&'static str, Request)> {
        let request = self.digitalocean.deprovisioning_failed([install.uuid()]).request();
        Some(("Notify of the failed deprovision", request))
    }

    fn actions(&self, install: &Install) -> Vec<Action> {
        let mut actions = suspension::actions(&self.facts, install);
        if install.state() == State::Provisioned {
            actions.push(RENAME);
        }
        actions
    }

    /// A new name is valid whatever the add-on answers to its notification.
    fn act(&self, install: &Install, action: &str, value: &str) -> Option<Request> {
        match action {
            "rename" => {
                install.rename(value);
                Some(self.digitalocean.updated(install.uuid(), value, &install.plan()).request())
            }
            "suspend" => Some(self.digitalocean.suspended([install.uuid()]).request()),
            "reinstate" => Some(self.digitalocean.reactivated([install.uuid()]).request()),
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
        if install.state() == State::Deprovisioned {
            self.api.remove_resource(install.uuid());
        }
    }

    fn apply_reports(&self, install: &Install) {
        let values = self.api.config(install.uuid()).into_iter();
        let values: BTreeMap<_, _> = values.map(|(name, value)| (self.name(&name), value)).collect();
        if values.iter().any(|(name, value)| install.config().get(name) != Some(value)) {
            merge_config(install, values);
        }
    }

    fn settings(&self, _url: &str) -> Vec<(&'static str, String)> {
        vec![("Client secret", self.client_secret.clone())]
    }

    fn revoke_tokens(&self, install: &Install) {
        self.api.revoke_access_tokens(install.uuid());
    }
}
