//! Facts about the add-on that do not change during a run, and Heroku's requests to it.

use std::time::Duration;

use maitre_testkit::heroku::{PlanChange, Provision};
use maitre_testkit::{Call, Heroku, Json};
use serde_json::{Map, Value};

use super::fake_platform::FakePlatform;
use super::resource::Resource;
use crate::address::Address;
use crate::cleanup::Routes;
use crate::error::SetupError;
use crate::manifest_input::ManifestInput;
use crate::sign_on::SsoEndpoint;
use crate::url::split_origin;
use crate::verdict::Stop;

pub(super) const ONE_PLAN: &str = "only one plan is known: pass a second one, such as with --plan basic,premium";

/// Maximum length of a path, in bytes.
const MAX_PATH: usize = 2_000;

/// Options of a run.
pub(crate) struct TargetOptions {
    pub(crate) plans: Vec<String>,
    /// Options of every provision.
    pub(crate) options: Vec<(String, String)>,
    pub(crate) timeout: Duration,
    pub(crate) allow_remote: bool,
}

/// Version of the contract by which Heroku calls an add-on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// For a manifest without `version`: no grants and no names, and single sign-on with a single token.
    One,
    Three,
}

/// The add-on under test, as its manifest and the options of the run describe it.
pub(crate) struct Addon {
    pub(super) heroku: Heroku,
    /// The same marketplace at the origin of single sign-on.
    pub(super) sso_heroku: Heroku,
    pub(super) sso: Option<SsoEndpoint>,
    pub(super) platform: Option<FakePlatform>,
    pub(super) version: Version,
    pub(super) manifest_text: String,
    pub(super) config_vars: Vec<String>,
    requires: Vec<String>,
    pub(super) slug: String,
    pub(super) password: String,
    pub(super) salt: String,
    pub(super) root: String,
    pub(super) allow_remote: bool,
    pub(super) plans: Vec<String>,
    /// Options of every provision.
    options: Map<String, Value>,
}

impl Addon {
    pub(super) fn new(
        input: &ManifestInput,
        address: Address,
        options: TargetOptions,
        platform: Option<FakePlatform>,
    ) -> Result<Self, SetupError> {
        let (slug, password, salt) = (input.manifest.id.clone(), input.password()?, input.salt());
        let TargetOptions { plans, options, allow_remote, .. } = options;
        if plans.is_empty() || plans.iter().any(String::is_empty) {
            return Err(SetupError::new("pass the plans that the add-on sells: --plan basic,premium"));
        }
        let api = &input.manifest.api;
        let endpoints = api.test.as_ref().or(api.production.as_ref());
        let sso = match &address.sso {
            Some(url) => Some(SsoEndpoint::form(url)),
            None if endpoints.is_some_and(|endpoints| endpoints.legacy) => Some(SsoEndpoint::link(&address.root)),
            None => None,
        };
        let heroku = Heroku::new(&address.root, &slug, &password, &salt);
        let sso_origin = sso.as_ref().map_or("", |endpoint| &endpoint.origin);
        let sso_heroku = Heroku::new(sso_origin, &slug, &password, &salt);
        let version = if matches!(api.version.as_deref(), None | Some("1")) { Version::One } else { Version::Three };
        Ok(Self {
            heroku,
            sso_heroku,
            sso,
            platform,
            version,
            manifest_text: input.text.clone(),
            config_vars: api.config_vars.clone(),
            requires: api.requires.clone(),
            slug,
            password,
            salt,
            root: address.root,
            allow_remote,
            plans,
            options: options.into_iter().map(|(key, value)| (key, value.into())).collect(),
        })
    }

    /// Returns the values that are masked everywhere in a report.
    pub(super) fn secrets(&self) -> Vec<String> {
        let client_secret = self.platform.iter().map(|platform| platform.client_secret.clone());
        [self.password.clone(), self.salt.clone()].into_iter().chain(client_secret).collect()
    }

    pub(super) fn routes(&self) -> Routes<PlanChange> {
        let (cleanup, proof, plan) = (self.heroku.clone(), self.heroku.clone(), self.plans[0].clone());
        Routes {
            collection: format!("{}/resources", self.root),
            key: Some("uuid"),
            deprovision: Box::new(move |id| cleanup.deprovision(id)),
            plan_change: Box::new(move |id| proof.plan_change(id, &plan)),
        }
    }

    pub(super) fn requires(&self, feature: &str) -> bool {
        self.requires.iter().any(|required| required == feature)
    }

    /// Returns the plan to provision.
    pub(super) fn plan(&self) -> &str {
        &self.plans[0]
    }

    /// Returns the plan to change to.
    pub(super) fn other_plan(&self) -> Result<&str, Stop> {
        self.plans.get(1).map(String::as_str).ok_or_else(|| Stop::skipped(ONE_PLAN))
    }

    /// Returns the name of a plan that does not exist.
    pub(super) fn unknown_plan(&self) -> String {
        format!("no-such-plan-{}", &self.heroku.new_uuid()[..8])
    }

    /// Returns an id as long as a path may be: many web servers refuse a longer one, and the resource could not be deleted.
    pub(super) fn long_id(&self) -> String {
        let prefix = split_origin(&self.root).1.len() + "/resources/".len();
        "a".repeat(MAX_PATH.saturating_sub(prefix))
    }

    /// Returns a provision request as Heroku sends it to an add-on with this manifest.
    pub(super) fn provision(&self) -> Call<Provision> {
        if self.version == Version::One {
            return self.provision_of_version_1();
        }
        let mut provision = self.heroku.provision(self.plan());
        if let Some(platform) = &self.platform {
            provision = provision.install(&platform.install(self.plan()));
        } else {
            let optional = [("log_input", "log_input_url"), ("syslog_drain", "log_drain_token")];
            let omitted = optional.into_iter().filter(|(feature, _)| !self.requires(feature));
            provision = omitted.fold(provision, |provision, (_, field)| provision.without(field));
        }
        provision.set("options", self.options())
    }

    /// Returns a provision request of version 1, for an app of its own.
    pub(super) fn provision_of_version_1(&self) -> Call<Provision> {
        let mut provision = self.heroku.provision(self.plan()).legacy();
        if let Some(platform) = self.platform.as_ref().filter(|_| self.version == Version::One) {
            let install = platform.install(self.plan());
            provision = provision.uuid(install.uuid()).set("callback_url", install.callback_url());
        }
        let heroku_id = format!("app{}@kensa.heroku.com", self.app_number());
        provision.set("heroku_id", heroku_id).set("options", self.options())
    }

    /// Returns a number of nine digits.
    fn app_number(&self) -> u32 {
        let digits: String = self.heroku.new_uuid().chars().filter(char::is_ascii_hexdigit).take(7).collect();
        100_000_000 + u32::from_str_radix(&digits, 16).unwrap_or_default()
    }

    /// Returns the options of every provision.
    pub(super) fn options(&self) -> Value {
        Value::Object(self.options.clone())
    }

    /// Returns whether every provision has options.
    pub(super) fn needs_options(&self) -> bool {
        !self.options.is_empty()
    }

    /// Returns the options of every provision and others.
    pub(super) fn options_and(&self, others: impl IntoIterator<Item = (&'static str, &'static str)>) -> Value {
        let others = others.into_iter().map(|(key, value)| (key.to_owned(), value.into()));
        Value::Object(others.chain(self.options.clone()).collect())
    }

    pub(super) fn plan_change(&self, resource: &Resource, plan: &str) -> Call<PlanChange> {
        self.plan_change_of(&resource.id, plan)
    }

    /// Returns a plan change of any id.
    pub(super) fn plan_change_of(&self, id: &str, plan: &str) -> Call<PlanChange> {
        let change = self.heroku.plan_change(id, plan);
        if self.version == Version::One { change.legacy() } else { change }
    }

    pub(super) fn deprovision(&self, resource: &Resource) -> Call<Json> {
        self.heroku.deprovision(&resource.id)
    }
}
