//! The add-on under test, as a marketplace calls it in the checks of one worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use maitre_testkit::{Browser, Call, Json};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::contract::BasicMarketplace;
use super::forms::{Form, forged, is_refused};
use super::resource::Resource;
use crate::address::Address;
use crate::check::{Capability, Check};
use crate::cleanup::{Created, Ids, Routes};
use crate::error::SetupError;
use crate::manifest_input::ManifestInput;
use crate::marketplace::Marketplace;
use crate::response::Response;
use crate::rules::id_text;
use crate::run::CheckTarget;
use crate::sign_on::{SignedIn, SsoEndpoint, must_be_signed_in};
use crate::timestamps::Timestamps;
use crate::verdict::Stop;
use crate::wire::Wire;

/// Age of a sign-on, in seconds, so that its timestamp differs from the add-on's clock.
const FORM_AGE: i64 = 3;

const ONE_PLAN: &str = "only one plan is known: pass a second one, such as with --plan basic,premium";

/// Options of a run.
pub(crate) struct TargetOptions {
    pub(crate) plans: Vec<String>,
    /// Choices of the customer in every provision.
    pub(crate) options: Vec<(String, String)>,
    pub(crate) timeout: Duration,
}

/// The add-on under test, with the resources and the exchanges of one worker.
pub(crate) struct Target<M> {
    pub(super) addon: Arc<Addon<M>>,
    pub(super) wire: Wire,
    /// Shared by all workers.
    works: Arc<Works>,
    shared: tokio::sync::Mutex<Option<Resource>>,
    /// Whether a check used a shared resource of an earlier one.
    reused: AtomicBool,
    timestamps: Timestamps,
}

/// Facts about the add-on that do not change during a run.
pub(super) struct Addon<M> {
    pub(super) market: M,
    /// The same marketplace at the origin of single sign-on.
    sso_market: M,
    pub(super) sso: SsoEndpoint,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) salt: String,
    pub(super) config_vars: Vec<String>,
    pub(super) root: String,
    plans: Vec<String>,
    options: Map<String, Value>,
}

/// Whether an ordinary request of each kind is known to succeed. Only then is a refusal meaningful.
#[derive(Default)]
struct Works {
    provision: AtomicBool,
    plan_change: AtomicBool,
    deprovision: AtomicBool,
    tokens: AtomicBool,
    refusals: AtomicBool,
    /// Whether the first provision was answered 202.
    is_asynchronous: AtomicBool,
    /// Ids of the created resources.
    ids: Ids,
}

impl<M: BasicMarketplace> Target<M> {
    pub(crate) fn new(input: &ManifestInput, address: &Address, options: TargetOptions) -> Result<Self, SetupError> {
        let (user, password, salt) = (input.manifest.id.clone(), input.password()?, input.salt());
        if options.plans.is_empty() || options.plans.iter().any(String::is_empty) {
            return Err(SetupError::new("pass the plans that the add-on sells: --plan basic,premium"));
        }
        let sso_url = address.sso.clone().unwrap_or_else(|| format!("{}/sso", address.root));
        let sso = SsoEndpoint { by_get: M::CONTRACT.sso.is_link, ..SsoEndpoint::form(&sso_url) };
        let addon = Addon {
            market: M::connect(&address.root, &user, &password, &salt),
            sso_market: M::connect(&sso.origin, &user, &password, &salt),
            sso,
            user,
            password,
            salt,
            config_vars: input.manifest.api.config_vars.clone(),
            root: address.root.clone(),
            plans: options.plans,
            options: options.options.into_iter().map(|(key, value)| (key, value.into())).collect(),
        };
        let secrets = vec![addon.password.clone(), addon.salt.clone()];
        let works = Arc::<Works>::default();
        let wire = Wire::new(options.timeout, secrets, Arc::new(addon.created(&works)));
        Ok(Self::with_wire(Arc::new(addon), wire, works))
    }

    fn with_wire(addon: Arc<Addon<M>>, wire: Wire, works: Arc<Works>) -> Self {
        let (shared, reused, timestamps) =
            (tokio::sync::Mutex::default(), AtomicBool::new(false), Timestamps::default());
        Self { addon, wire, works, shared, reused, timestamps }
    }

    pub(super) fn market(&self) -> &M {
        &self.addon.market
    }

    /// Returns the plan to provision.
    pub(super) fn plan(&self) -> &str {
        &self.addon.plans[0]
    }

    /// Returns the plan to change to.
    pub(super) fn other_plan(&self) -> &str {
        self.addon.plans.get(1).map_or(self.plan(), String::as_str)
    }

    /// Returns the name of a plan that does not exist.
    pub(super) fn unknown_plan(&self) -> String {
        format!("no-such-plan-{}", self.market().new_key().chars().rev().take(8).collect::<String>())
    }

    /// Adds the customer's choices of this run to a provision.
    pub(super) fn with_options(&self, provision: Call<Json>) -> Call<Json> {
        if self.addon.options.is_empty() {
            return provision;
        }
        provision.set(M::CONTRACT.parameters, Value::Object(self.addon.options.clone()))
    }

    pub(super) fn provision(&self) -> Call<Json> {
        self.with_options(self.market().provision(self.plan()))
    }

    /// Sends a request. See [`Wire::send`].
    pub(super) async fn send(&self, call: Call<Json>) -> Result<Response, Stop> {
        self.wire.send(call).await
    }

    pub(super) async fn change(&self, resource: &Resource, plan: &str) -> Result<Response, Stop> {
        self.send(self.market().plan_change(&resource.name, plan)).await
    }

    pub(super) async fn delete(&self, resource: &Resource) -> Result<Response, Stop> {
        self.send(self.market().deprovision(&resource.name)).await
    }

    /// Creates a resource from this request.
    pub(super) async fn create(&self, provision: Call<Json>) -> Result<Resource, Stop> {
        let response = self.send(provision.clone()).await?;
        Resource::from_response::<M>(provision, response)
    }

    /// Creates a resource for this check only.
    pub(super) async fn new_resource(&self) -> Result<Resource, Stop> {
        let resource = self.create(self.provision()).await?;
        self.works.provision.store(true, Ordering::Relaxed);
        Ok(resource)
    }

    /// Returns a resource that is shared by the checks of this worker. They must not deprovision it.
    pub(super) async fn shared_resource(&self) -> Result<Resource, Stop> {
        let mut shared = self.shared.lock().await;
        if let Some(resource) = &*shared {
            self.reused.store(true, Ordering::Relaxed);
            return Ok(resource.clone());
        }
        let resource = self.new_resource().await?;
        self.wire.created().keep(&resource.key);
        self.wire.created().keep(&resource.id);
        *shared = Some(resource.clone());
        Ok(resource)
    }

    /// Creates and deprovisions a resource; skips the check if the latter fails.
    pub(super) async fn removed_resource(&self) -> Result<Resource, Stop> {
        let resource = self.new_resource().await?;
        let response = self.delete(&resource).await?;
        if !response.is_success() {
            return Err(Self::see("a deprovision", &response, "deprovision.succeeds"));
        }
        self.works.deprovision.store(true, Ordering::Relaxed);
        Ok(resource)
    }

    /// Returns the reason to skip a check because an ordinary request does not work.
    fn see(request: &str, response: &Response, check: &str) -> Stop {
        let (status, marketplace) = (response.status(), M::CONTRACT.marketplace);
        Stop::skipped(format!("{request} is answered {status} (see {marketplace}.{check})"))
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
        let response = self.change(&self.new_resource().await?, self.other_plan()).await?;
        if !response.is_success() {
            return Err(Self::see("a plan change", &response, "plan-change.succeeds"));
        }
        self.works.plan_change.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Skips the check unless an ordinary deprovision succeeds.
    pub(super) async fn require_deprovision(&self) -> Result<(), Stop> {
        if self.works.deprovision.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.removed_resource().await.map(drop)
    }

    /// Returns the form or link of a sign-on a few seconds ago.
    pub(super) fn sign_on_to(&self, resource: &Resource) -> Form {
        self.sign_on_at(&resource.name, -FORM_AGE)
    }

    /// Returns the form or link of a sign-on this many seconds from now, or a little earlier.
    pub(super) fn sign_on_at(&self, name: &str, offset: i64) -> Form {
        let wanted = OffsetDateTime::now_utc().unix_timestamp().saturating_add(offset);
        let at = OffsetDateTime::from_unix_timestamp(self.timestamps.unused(wanted));
        self.unsigned(name).at(at.unwrap_or(OffsetDateTime::UNIX_EPOCH))
    }

    /// Returns a form or link that is signed for this text.
    pub(super) fn sign_on_with_timestamp(&self, name: &str, timestamp: &str) -> Form {
        self.unsigned(name).timestamp(timestamp)
    }

    fn unsigned(&self, name: &str) -> Form {
        self.addon.sso_market.single_sign_on(name).path(&self.addon.sso.path)
    }

    /// Sends a form or link without a browser.
    pub(super) async fn post(&self, form: Form) -> Result<Response, Stop> {
        self.wire.send(form).await
    }

    pub(super) fn browser(&self) -> Browser {
        self.addon.sso.browser()
    }

    /// Signs on as a browser does and follows the redirects.
    pub(super) async fn sign_in(&self, form: &Form) -> Result<SignedIn, Stop> {
        self.addon.sso.sign_in(&self.wire, self.browser(), form).await
    }

    /// Signs in; skips the check if a valid token is not accepted.
    pub(super) async fn require_sign_in(&self, form: &Form) -> Result<SignedIn, Stop> {
        let signed_in = self.sign_in(form).await?;
        if must_be_signed_in(&signed_in, "").is_err() {
            return Err(Self::see("a valid token", &signed_in.page, "sso-token.lets-in"));
        }
        Ok(signed_in)
    }

    /// Returns a resource whose tokens are accepted; skips the check if they are not.
    pub(super) async fn resource_to_sign_on(&self) -> Result<Resource, Stop> {
        let resource = self.shared_resource().await?;
        if !self.works.tokens.load(Ordering::Relaxed) {
            self.require_sign_in(&self.sign_on_to(&resource)).await?;
            self.works.tokens.store(true, Ordering::Relaxed);
        }
        Ok(resource)
    }

    /// Returns a resource whose wrong tokens are refused; skips the check if they are not.
    pub(super) async fn resource_to_forge(&self) -> Result<Resource, Stop> {
        let resource = self.resource_to_sign_on().await?;
        if !self.works.refusals.load(Ordering::Relaxed) {
            let response = self.post(forged(M::CONTRACT.sso.token, self.sign_on_to(&resource))).await?;
            if !is_refused(&M::CONTRACT.sso, &response) {
                return Err(Self::see("a wrong token", &response, "sso-token.wrong"));
            }
            self.works.refusals.store(true, Ordering::Relaxed);
        }
        Ok(resource)
    }

    fn refused_plan(&self, response: &Response) -> SetupError {
        let plan = self.plan();
        let message = response.json().and_then(|body| id_text(&body["message"])).unwrap_or_default();
        SetupError::new(format!(
            "the add-on refuses the plan {plan} with 422 {message:?}: pass plans that it sells with --plan, the first to \
             provision and the second to change to, and the options that it needs with --option"
        ))
    }

    /// Recognizes an add-on that is not mounted at this URL.
    async fn must_be_mounted(&self) -> Result<(), SetupError> {
        let wrong = self.provision().credentials(&self.addon.user, "a-wrong-password");
        match self.wire.try_send(wrong).await {
            Ok(wrong) if wrong.status() == 404 => Err(SetupError::new(format!(
                "nothing is mounted at {}: POST is answered 404 with right and wrong credentials alike. Compare the \
                 registered base URL with the add-on's routes, or pass its address with --url",
                self.url()
            ))),
            _ => Ok(()),
        }
    }
}

impl<M: BasicMarketplace> Addon<M> {
    fn created(&self, works: &Works) -> Created<Json> {
        let (cleanup, proof, plan) = (self.market.clone(), self.market.clone(), self.plans[0].clone());
        let routes = Routes {
            collection: format!("{}/resources", self.root),
            key: Some(M::CONTRACT.key),
            deprovision: Box::new(move |id| cleanup.deprovision(id)),
            plan_change: Box::new(move |id| proof.plan_change(id, &plan)),
        };
        Created::new(routes, works.ids.clone())
    }
}

impl<M: BasicMarketplace> CheckTarget for Target<M> {
    const MARKETPLACE: Marketplace = M::CONTRACT.marketplace;

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn url(&self) -> String {
        maitre_core::mask_urls(&format!("{}/resources", self.addon.root))
    }

    fn fork(&self) -> Option<Self> {
        let wire = self.wire.fork(Arc::new(self.addon.created(&self.works)));
        Some(Self::with_wire(self.addon.clone(), wire, self.works.clone()))
    }

    fn lacks(&self, capability: Capability) -> Option<String> {
        let is_asynchronous = self.works.is_asynchronous.load(Ordering::Relaxed);
        let is = |missing: bool, reason: &str| missing.then(|| reason.to_owned());
        match capability {
            Capability::ConfigVars => is(self.addon.config_vars.is_empty(), "the manifest lists no config_vars"),
            Capability::SecondPlan => is(self.addon.plans.len() < 2, ONE_PLAN),
            Capability::Synchronous => is(is_asynchronous, "the add-on answers 202 and completes later"),
            _ => None,
        }
    }

    fn is_offline(_check: &Check) -> bool {
        false
    }

    fn blocked(&self, _check: &Check) -> Option<String> {
        None
    }

    async fn setup(&self) -> Result<(), SetupError> {
        let response = match self.wire.try_send(self.provision()).await {
            Ok(response) => response,
            Err(no_response) => return no_response.unless_connected(&self.url()), // otherwise the checks report it
        };
        match response.status() {
            422 => return Err(self.refused_plan(&response)),
            404 => self.must_be_mounted().await?,
            202 => self.works.is_asynchronous.store(true, Ordering::Relaxed),
            _ => {}
        }
        Ok(())
    }

    fn take_reused(&self) -> bool {
        self.reused.swap(false, Ordering::Relaxed)
    }

    async fn teardown(&self) {
        self.works.provision.store(false, Ordering::Relaxed);
        *self.shared.lock().await = None;
        self.wire.created().release_kept();
    }
}
