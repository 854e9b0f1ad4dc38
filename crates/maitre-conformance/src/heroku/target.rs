//! The add-on under test, as Heroku calls it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use maitre_testkit::heroku::{LaunchForm, PlanChange, Provision};
use maitre_testkit::{Call, Heroku, Json, SignOn};
use time::OffsetDateTime;

use super::fake_platform::FakePlatform;
use super::resource::Resource;
use crate::address::Address;
use crate::check::{Capability, Check};
use crate::cleanup::{Created, Routes};
use crate::error::SetupError;
use crate::manifest_input::ManifestInput;
use crate::marketplace::Marketplace;
use crate::response::Response;
use crate::rules::{self, id_text};
use crate::run::CheckTarget;
use crate::sign_on::SsoEndpoint;
use crate::verdict::Stop;
use crate::wire::Wire;

/// Age of a form, in seconds.
const FORM_AGE: i64 = 3;

/// Capabilities of a check that changes a plan, or that uses a plan change to test whether a resource exists.
pub(super) const PLAN_CHANGE: &[Capability] = &[Capability::PlanChange];

/// Capabilities of a check that changes to another plan.
pub(super) const TWO_PLANS: &[Capability] = &[Capability::PlanChange, Capability::SecondPlan];

const NO_PLAN_CHANGE: &str = "plan changes are not supported: the add-on refuses them for every plan";
const SERVER_ERRORS: &str = "every response is a server error (see heroku.provision.succeeds)";
const INCOMPLETE: &str = "the add-on answers 202 but does not complete the provision (see heroku.async.completes)";
const ONE_PLAN: &str = "only one plan is known: pass a second one, such as with --plan basic,premium";
const NEEDS_PLATFORM: &str = "the add-on answers 202 and completes later, which requires a platform to call";
const LOCAL: &str = "the add-on is checked locally, without --allow-remote";
const NO_SSO: &str = "the manifest has no sso_url";
const NO_SALT: &str = "the manifest has no api.sso_salt";

/// Maximum length of a path, in bytes.
const MAX_PATH: usize = 2_000;

/// The add-on under test.
pub(crate) struct Target {
    pub(super) wire: Wire,
    pub(super) heroku: Heroku,
    /// The same marketplace at the origin of single sign-on.
    sso_heroku: Heroku,
    sso: Option<SsoEndpoint>,
    pub(super) platform: Option<FakePlatform>,
    pub(super) manifest_text: String,
    pub(super) config_vars: Vec<String>,
    requires: Vec<String>,
    pub(super) slug: String,
    pub(super) password: String,
    pub(super) salt: String,
    root: String,
    allow_remote: bool,
    plans: Vec<String>,
    /// Mode of the first provision; empty if it did not succeed.
    first_provision: OnceLock<ProvisionMode>,
    /// Whether the add-on refuses plan changes for every plan. It need not support them.
    lacks_plan_change: AtomicBool,
    /// Whether the add-on answers 5xx to every request.
    only_server_errors: AtomicBool,
    /// Whether an ordinary request of each kind is known to succeed. Only then is a refusal meaningful.
    works: Works,
    shared: tokio::sync::Mutex<Option<Resource>>,
    /// Whether a valid token was accepted. Only then is the refusal of an invalid one meaningful.
    pub(super) accepts_tokens: AtomicBool,
    /// Timestamps of the signed forms. A second form with the same timestamp could be refused as a replay.
    timestamps: Mutex<BTreeSet<i64>>,
}

#[derive(Default)]
struct Works {
    provision: AtomicBool,
    plan_change: AtomicBool,
    deprovision: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProvisionMode {
    Synchronous,
    Asynchronous,
}

impl Target {
    pub(crate) fn new(
        input: &ManifestInput,
        address: Address,
        plans: Vec<String>,
        timeout: Duration,
        platform: Option<FakePlatform>,
    ) -> Result<Self, SetupError> {
        let (slug, password, salt) = (input.manifest.id.clone(), input.password()?, input.salt());
        if plans.is_empty() || plans.iter().any(String::is_empty) {
            return Err(SetupError::new("pass the plans that the add-on sells: --plan basic,premium"));
        }
        let heroku = Heroku::new(&address.root, &slug, &password, &salt);
        let (cleanup, proof, plan) = (heroku.clone(), heroku.clone(), plans[0].clone());
        let routes = Routes {
            collection: format!("{}/resources", address.root),
            key: Some("uuid"),
            deprovision: Box::new(move |id| cleanup.deprovision(id)),
            plan_change: Box::new(move |id| proof.plan_change(id, &plan)),
        };
        let sso = address.sso.as_deref().map(SsoEndpoint::new);
        let sso_origin = sso.as_ref().map_or("", |endpoint| &endpoint.origin);
        let sso_heroku = Heroku::new(sso_origin, &slug, &password, &salt);
        let mut secrets = vec![password.clone(), salt.clone()];
        secrets.extend(platform.iter().map(|platform| platform.client_secret.clone()));
        let wire = Wire::new(timeout, secrets, Arc::new(Created::new(routes)));
        let wire = match &platform {
            Some(platform) => wire.on_reply(platform.reply_observer()),
            None => wire,
        };
        Ok(Self {
            wire,
            platform,
            sso,
            heroku,
            sso_heroku,
            manifest_text: input.text.clone(),
            config_vars: input.manifest.api.config_vars.clone(),
            requires: input.manifest.api.requires.clone(),
            slug,
            password,
            salt,
            root: address.root,
            allow_remote: false,
            plans,
            first_provision: OnceLock::new(),
            lacks_plan_change: AtomicBool::new(false),
            only_server_errors: AtomicBool::new(false),
            works: Works::default(),
            shared: tokio::sync::Mutex::default(),
            accepts_tokens: AtomicBool::new(false),
            timestamps: Mutex::default(),
        })
    }

    pub(crate) fn with_allow_remote(self, allow_remote: bool) -> Self {
        Self { allow_remote, ..self }
    }

    fn requires(&self, feature: &str) -> bool {
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
        let prefix = crate::url::split_origin(&self.root).1.len() + "/resources/".len();
        "a".repeat(MAX_PATH.saturating_sub(prefix))
    }

    /// Returns a provision request as Heroku sends it to an add-on with this manifest.
    pub(super) fn provision(&self) -> Call<Provision> {
        let mut provision = self.heroku.provision(self.plan());
        if let Some(platform) = &self.platform {
            return provision.install(&platform.install(self.plan()));
        }
        if !self.requires("log_input") {
            provision = provision.without("log_input_url");
        }
        if !self.requires("syslog_drain") {
            provision = provision.without("log_drain_token");
        }
        provision
    }

    pub(super) fn plan_change(&self, resource: &Resource, plan: &str) -> Call<PlanChange> {
        self.heroku.plan_change(&resource.id, plan)
    }

    pub(super) fn deprovision(&self, resource: &Resource) -> Call<Json> {
        self.heroku.deprovision(&resource.id)
    }

    /// Creates a resource for this check only. An asynchronous provision may still be running.
    pub(super) async fn new_resource(&self) -> Result<Resource, Stop> {
        let resource = self.create_from(self.provision()).await?;
        self.works.provision.store(true, Ordering::Relaxed);
        Ok(resource)
    }

    /// Skips the check unless an ordinary provision succeeds.
    pub(super) async fn require_provision(&self) -> Result<(), Stop> {
        if self.works.provision.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.new_resource().await.map(drop)
    }

    /// Skips the check unless an ordinary plan change succeeds.
    pub(super) async fn require_plan_change(&self) -> Result<(), Stop> {
        if self.works.plan_change.load(Ordering::Relaxed) {
            return Ok(());
        }
        let response = self.probe(&self.ready_resource().await?).await?;
        if response.is_success() {
            self.works.plan_change.store(true, Ordering::Relaxed);
            return Ok(());
        }
        let status = response.status();
        let reason = format!("a change to the current plan is answered {status} (see heroku.plan-change.same-plan)");
        Err(Stop::skipped(reason))
    }

    /// Skips the check unless an ordinary deprovision succeeds.
    pub(super) async fn require_deprovision(&self) -> Result<(), Stop> {
        if self.works.deprovision.load(Ordering::Relaxed) {
            return Ok(());
        }
        let response = self.wire.send(self.deprovision(&self.new_resource().await?)).await?;
        must_be_deprovisioned(&response)?;
        self.works.deprovision.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(super) async fn create_from(&self, provision: Call<Provision>) -> Result<Resource, Stop> {
        let response = self.wire.send(provision.clone()).await?;
        Resource::from_response(provision, response)
    }

    /// Creates a resource for this check only, and waits until it is provisioned.
    pub(super) async fn ready_resource(&self) -> Result<Resource, Stop> {
        self.require_ready()?;
        let resource = self.new_resource().await?;
        self.await_completion(&resource).await?;
        Ok(resource)
    }

    /// Returns a provisioned resource that is shared by checks. They must not deprovision it.
    pub(super) async fn shared_resource(&self) -> Result<Resource, Stop> {
        self.require_ready()?;
        let mut shared = self.shared.lock().await;
        if let Some(resource) = &*shared {
            return Ok(resource.clone());
        }
        let resource = self.new_resource().await?;
        self.await_completion(&resource).await?;
        self.wire.created().keep(&resource.uuid);
        self.wire.created().keep(&resource.id);
        *shared = Some(resource.clone());
        Ok(resource)
    }

    /// Skips the check if provisions cannot complete.
    pub(super) fn require_ready(&self) -> Result<(), Stop> {
        match (self.first_provision.get(), &self.platform) {
            (Some(ProvisionMode::Asynchronous), None) => Err(Stop::skipped(NEEDS_PLATFORM)),
            (_, Some(platform)) if platform.has_timed_out() => Err(Stop::skipped(INCOMPLETE)),
            _ => Ok(()),
        }
    }

    /// Waits until an asynchronous provision completes.
    pub(super) async fn await_completion(&self, resource: &Resource) -> Result<(), Stop> {
        match &self.platform {
            Some(platform) if !platform.wait_provisioned(&resource.uuid).await => Err(Stop::skipped(INCOMPLETE)),
            _ => Ok(()),
        }
    }

    /// Creates and deprovisions a resource.
    pub(super) async fn deprovisioned_resource(&self) -> Result<Resource, Stop> {
        let resource = self.new_resource().await?;
        let response = self.wire.send(self.deprovision(&resource)).await?;
        if response.status() == 202 {
            return Err(Stop::skipped("a deprovision is answered 202, so its completion cannot be observed"));
        }
        must_be_deprovisioned(&response)?;
        Ok(resource)
    }

    /// Determines whether the add-on supports plan changes, which Heroku does not require.
    async fn detect_plan_change(&self, resource: &Resource) {
        let refuses = |response: &Response| match response.status() {
            404 | 405 | 501 => true,
            _ => response.require(rules::is_refused_with_message).is_ok(),
        };
        for plan in &self.plans {
            match self.wire.send(self.plan_change(resource, plan)).await {
                Ok(response) if refuses(&response) => {}
                _ => return,
            }
        }
        self.lacks_plan_change.store(true, Ordering::Relaxed);
    }

    /// Recognizes an add-on that is not mounted at this URL, and one that answers 5xx to every request.
    async fn diagnose(&self, status: u16) -> Result<(), SetupError> {
        if status != 404 && status < 500 {
            return Ok(());
        }
        let wrong = self.provision().credentials(&self.slug, "a-wrong-password");
        let deprovision = self.heroku.deprovision(&self.heroku.new_uuid());
        let (Ok(wrong), Ok(deprovision)) = (self.wire.try_send(wrong).await, self.wire.try_send(deprovision).await)
        else {
            return Ok(());
        };
        if status == 404 && wrong.status() == 404 {
            return Err(SetupError::new(format!(
                "nothing is mounted at {}: POST is answered 404 with right and wrong credentials alike. Is the nest path \
                 right? Compare the manifest's base_url with the add-on's routes, or pass its address with --url",
                self.url()
            )));
        }
        let only_server_errors = [status, wrong.status(), deprovision.status()].iter().all(|status| *status >= 500);
        self.only_server_errors.store(only_server_errors, Ordering::Relaxed);
        Ok(())
    }

    /// Tests whether a resource exists by a change to its own plan.
    pub(super) async fn probe(&self, resource: &Resource) -> Result<Response, Stop> {
        self.wire.send(self.plan_change(resource, self.plan())).await
    }

    /// Returns the form of a sign-on a few seconds ago, so that its timestamp differs from the add-on's clock.
    pub(super) fn sso_form(&self, resource: &Resource) -> Result<Call<SignOn<LaunchForm>>, Stop> {
        self.sso_form_at(resource, -FORM_AGE)
    }

    /// Returns the form of a sign-on this many seconds from now, or of the latest earlier second without a form: a second
    /// form of the same second could be refused as a replay.
    pub(super) fn sso_form_at(&self, resource: &Resource, offset: i64) -> Result<Call<SignOn<LaunchForm>>, Stop> {
        let wanted = OffsetDateTime::now_utc().unix_timestamp().saturating_add(offset);
        let mut timestamps = self.timestamps.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = (0..10_000).map(|back| wanted - back).find(|timestamp| !timestamps.contains(timestamp));
        let timestamp = unused.unwrap_or(wanted);
        timestamps.insert(timestamp);
        drop(timestamps);
        self.sso_form_with_timestamp(resource, &timestamp.to_string())
    }

    /// Returns a form that is signed with this text as its timestamp.
    pub(super) fn sso_form_with_timestamp(
        &self,
        resource: &Resource,
        timestamp: &str,
    ) -> Result<Call<SignOn<LaunchForm>>, Stop> {
        let endpoint = self.sso_endpoint()?;
        let form = self.sso_heroku.single_sign_on(&resource.uuid).provider_id(&resource.id).timestamp(timestamp);
        Ok(form.path(&endpoint.path))
    }

    pub(super) fn sso_endpoint(&self) -> Result<&SsoEndpoint, Stop> {
        self.sso.as_ref().ok_or_else(|| Stop::skipped(NO_SSO))
    }
}

impl CheckTarget for Target {
    const MARKETPLACE: Marketplace = Marketplace::Heroku;

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn url(&self) -> String {
        maitre_core::mask_urls(&format!("{}/resources", self.root))
    }

    fn lacks(&self, capability: Capability) -> Option<String> {
        let is_asynchronous = self.first_provision.get() == Some(&ProvisionMode::Asynchronous);
        let (missing, reason) = match capability {
            Capability::SingleSignOn if self.salt.is_empty() => (true, NO_SALT),
            Capability::SingleSignOn => (self.sso.is_none(), NO_SSO),
            Capability::ConfigVars => (self.config_vars.is_empty(), "the manifest lists no config_vars"),
            Capability::LogDrain => (!self.requires("syslog_drain"), "the manifest does not require syslog_drain"),
            Capability::SecondPlan => (self.plans.len() < 2, ONE_PLAN),
            Capability::PlanChange => (self.lacks_plan_change.load(Ordering::Relaxed), NO_PLAN_CHANGE),
            Capability::Synchronous => (is_asynchronous, "the add-on answers 202 and sends its config vars later"),
            Capability::Asynchronous => (!is_asynchronous, "the add-on provisions synchronously, without a 202"),
            Capability::Https => {
                let https = self.sso.as_ref().is_some_and(|endpoint| endpoint.origin.starts_with("https://"));
                (!https, "the single sign-on URL is not https")
            }
            Capability::Platform => {
                (self.platform.is_none(), "the add-on has no fake platform to call: see --platform")
            }
            Capability::Remote => (!self.allow_remote, LOCAL),
            _ => (false, ""), // no check needs another one that an add-on for Heroku may lack
        };
        missing.then(|| reason.to_owned())
    }

    fn is_offline(check: &Check) -> bool {
        check.group() == "heroku.manifest"
    }

    fn blocked(&self, check: &Check) -> Option<String> {
        let is_blocked = self.only_server_errors.load(Ordering::Relaxed)
            && check.id != "heroku.provision.succeeds"
            && !Self::is_offline(check);
        is_blocked.then(|| SERVER_ERRORS.to_owned())
    }

    async fn setup(&self) -> Result<(), SetupError> {
        let provision = self.provision();
        let response = match self.wire.try_send(provision.clone()).await {
            Ok(response) => response,
            Err(no_response) => return no_response.unless_connected(&self.url()), // otherwise the checks report it
        };
        if response.status() == 422 {
            let plan = self.plan();
            let message = response.json().and_then(|body| id_text(&body["message"])).unwrap_or_default();
            return Err(SetupError::new(format!(
                "the add-on refuses the plan {plan} with 422 {message:?}: pass plans that it sells with --plan, the first \
                 to provision and the second to change to"
            )));
        }
        self.diagnose(response.status()).await?;
        let mode = if response.status() == 202 { ProvisionMode::Asynchronous } else { ProvisionMode::Synchronous };
        if let Ok(resource) = Resource::from_response(provision, response) {
            let _ = self.first_provision.set(mode); // set only here
            if mode == ProvisionMode::Synchronous {
                self.wire.created().keep(&resource.uuid);
                self.detect_plan_change(&resource).await;
                *self.shared.lock().await = Some(resource);
            }
        }
        Ok(())
    }

    async fn teardown(&self) {
        self.works.provision.store(false, Ordering::Relaxed);
        *self.shared.lock().await = None;
        self.wire.created().release_kept();
    }
}

/// Skips the check unless the deprovision succeeded.
pub(super) fn must_be_deprovisioned(response: &Response) -> Result<(), Stop> {
    if response.is_success() {
        return Ok(());
    }
    let status = response.status();
    Err(Stop::skipped(format!("a deprovision is answered {status} (see heroku.deprovision.succeeds)")))
}
