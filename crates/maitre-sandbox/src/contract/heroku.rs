//! Heroku.

use std::collections::BTreeMap;

use maitre_conformance::Marketplace;
use maitre_testkit::{Heroku, Reply, Request, platform::Install};
use time::OffsetDateTime;

use super::{
    credentials::Credentials,
    definition::{Contract, Profile, SignOnForm, Visit},
    fields::path_id,
};
use crate::entry::Kind;

const PROFILE: Profile = Profile {
    marketplace: Marketplace::Heroku,
    customer: "App",
    options: Some("Options"),
    regions: &REGIONS,
    is_one_per_app: true,
    api: Some("https://api.heroku.com and https://id.heroku.com"),
    api_calls: &[
        ("token", "POST", "/oauth/token"),
        ("config", "PATCH", "/addons/*/config"),
        ("mark provisioned", "POST", "/addons/*/actions/provision"),
        ("mark deprovisioned", "POST", "/addons/*/actions/deprovision"),
    ],
    has_tokens: true,
    sign_on_check: Some("heroku.sso-token.lets-in"),
    deletes_orphans: false,
};

/// Regions of Heroku's schema, in the form of a provision request.
const REGIONS: [&str; 13] = [
    "amazon-web-services::us-east-1",
    "amazon-web-services::us-west-1",
    "amazon-web-services::us-west-2",
    "amazon-web-services::eu-west-1",
    "amazon-web-services::eu-west-2",
    "amazon-web-services::eu-central-1",
    "amazon-web-services::ap-northeast-1",
    "amazon-web-services::ap-northeast-2",
    "amazon-web-services::ap-southeast-1",
    "amazon-web-services::ap-southeast-2",
    "amazon-web-services::ap-south-1",
    "amazon-web-services::sa-east-1",
    "amazon-web-services::ca-central-1",
];

pub(super) struct HerokuContract {
    /// Client for lifecycle calls.
    heroku: Heroku,
    /// Client for single sign-on by POST, and the path. `None` for legacy sign-on by GET.
    sso: Option<(Heroku, String)>,
    client_secret: String,
}

impl HerokuContract {
    pub(super) fn new(credentials: &Credentials) -> Self {
        let Credentials { root, id, password, salt, .. } = credentials;
        Self {
            heroku: Heroku::new(root, id, password, salt),
            sso: credentials
                .sso_parts()
                .map(|(origin, path)| (Heroku::new(origin, id, password, salt), path.to_owned())),
            client_secret: credentials.client_secret.clone(),
        }
    }
}

impl Contract for HerokuContract {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn successes(&self, kind: Kind) -> &'static [u16] {
        if kind == Kind::Provision { &[200, 201, 202] } else { &[200, 201, 202, 203, 204, 205, 206] }
    }

    fn provision(&self, install: &Install) -> Request {
        self.heroku.provision(&install.plan()).install(install).request()
    }

    fn plan_change(&self, install: &Install, plan: &str) -> Request {
        self.heroku.plan_change(&path_id(install), plan).request()
    }

    fn deprovision(&self, install: &Install) -> Request {
        self.heroku.deprovision(&path_id(install)).request()
    }

    fn sign_on(&self, install: &Install, visit: &Visit) -> SignOnForm {
        let (heroku, path) = match &self.sso {
            Some((heroku, path)) => (heroku, Some(path)),
            None => (&self.heroku, None),
        };
        let app = install.app();
        let call = heroku.single_sign_on(install.uuid()).provider_id(path_id(install));
        let call = call.user_id(visit.user_id.as_str()).email(visit.email.as_str()).at(visit.at);
        let call = call.set("app", app.as_str()).set("nav-data", visit.nav_data.as_str());
        match path {
            Some(path) => {
                let context_app = visit.context_app.as_deref().unwrap_or(&app);
                SignOnForm::of(&call.set("context_app", context_app).path(path.as_str()))
            }
            None => SignOnForm::of(&call.by_get()),
        }
    }

    fn renew_sign_on(&self, fields: &BTreeMap<String, String>, at: OffsetDateTime) -> Option<SignOnForm> {
        let (heroku, path) = self.sso.as_ref()?;
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        let call = heroku.single_sign_on(field("resource_id")).provider_id(field("id"));
        let call = call.email(field("email")).user_id(field("user_id")).at(at).path(path.as_str());
        let extra = ["app", "context_app", "nav-data"];
        Some(SignOnForm::of(&extra.iter().fold(call, |call, name| call.set(*name, field(name)))))
    }

    fn record_provision(&self, install: &Install, reply: &Reply) {
        install.record_provision(reply);
    }

    fn record_plan_change(&self, install: &Install, plan: &str, reply: &Reply) {
        install.record_plan_change(plan, reply);
    }

    fn settings(&self, _url: &str) -> Vec<(&'static str, String)> {
        vec![("Client secret", self.client_secret.clone())]
    }

    fn revoke_tokens(&self, install: &Install) {
        install.revoke_tokens();
    }
}
