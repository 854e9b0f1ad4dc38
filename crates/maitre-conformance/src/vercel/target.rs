//! The integration under test, as Vercel calls it.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use maitre_testkit::vercel::{Installation, Platform, PlatformServer, SigningKey, Token, Vercel};
use maitre_testkit::{Call, Json};
use serde_json::{Map, Value};

use super::created::Created;
use super::events::Webhooks;
use super::rules;
use super::skip_unless_ok;
use crate::check::{Capability, Check};
use crate::error::SetupError;
use crate::marketplace::Marketplace;
use crate::response::Response;
use crate::run::CheckTarget;
use crate::sign_on::SsoEndpoint;
use crate::url::split_origin;
use crate::verdict::Stop;
use crate::wire::Wire;

/// Time between two looks at something that happens later.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Key of Vercel's side, shared by the runs of this process.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate("key-1"));

/// Key that is not published.
static OTHER_KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate("another-key"));

/// Integration at Vercel.
#[derive(Clone)]
pub(crate) struct Integration {
    /// Client id, the audience of tokens.
    pub(crate) id: String,
    /// Slug of the product.
    pub(crate) product: String,
}

/// Settings of a run.
pub(crate) struct TargetOptions {
    pub(crate) sso_url: Option<String>,
    pub(crate) webhook_url: Option<String>,
    pub(crate) plans: Vec<String>,
    /// Values of the form, for an add-on that needs some.
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) timeout: Duration,
    pub(crate) async_timeout: Duration,
}

/// The integration under test.
pub(crate) struct Target {
    pub(super) wire: Wire,
    pub(super) vercel: Vercel,
    pub(super) platform: Platform,
    pub(super) webhooks: Webhooks,
    pub(super) sso: SsoEndpoint,
    /// A key that is not published.
    pub(super) other_key: SigningKey,
    pub(super) product: String,
    created: Arc<Created>,
    serving: PlatformServer,
    root: String,
    metadata: Map<String, Value>,
    plans: OnceLock<Vec<String>>,
    async_timeout: Duration,
    /// Whether the tokens were refused.
    is_refused: AtomicBool,
}

/// Returns the error for a suite that cannot sign tokens.
pub(crate) fn no_platform() -> SetupError {
    SetupError::new(
        "Vercel's calls have tokens that are verified with keys that the suite serves: pass their address with --platform \
         127.0.0.1:5999, and start the add-on with http://127.0.0.1:5999 as issuer, key set and API",
    )
}

/// A provisioned resource.
pub(super) struct Resource {
    pub(super) installation: Installation,
    pub(super) id: String,
    /// Body of the response to the provision.
    pub(super) body: Value,
}

impl Target {
    /// Serves Vercel's side on a socket.
    pub(crate) fn start(
        integration: &Integration,
        client_secret: &str,
        socket: TcpListener,
        root: &str,
        options: TargetOptions,
    ) -> Result<Self, SetupError> {
        let cannot_serve = |error| SetupError::with_source("cannot serve Vercel's keys and API on this socket", error);
        socket.set_nonblocking(true).map_err(cannot_serve)?;
        let socket = tokio::net::TcpListener::from_std(socket).map_err(cannot_serve)?;
        let platform = Platform::with_key(&integration.id, client_secret, KEY.clone());
        let serving = platform.serve_on(socket).map_err(cannot_serve)?;
        let vercel = Vercel::new(root, &platform);
        let webhook_url = options.webhook_url.unwrap_or_else(|| format!("{root}/webhooks"));
        let (origin, path) = split_origin(&webhook_url);
        let at_origin = Vercel::new(origin, &platform);
        let webhooks = Webhooks::new(at_origin, path);
        let sso_url = options.sso_url.unwrap_or_else(|| format!("{root}/sso"));
        let created = Arc::new(Created::new(vercel.clone(), webhooks.clone(), &integration.product));
        let metadata = options.metadata.into_iter().map(|(name, value)| (name, value.into())).collect();
        let plans = if options.plans.is_empty() { OnceLock::new() } else { options.plans.into() };
        Ok(Self {
            wire: Wire::new(options.timeout, vec![client_secret.to_owned()], created.clone()),
            vercel,
            platform,
            webhooks,
            sso: SsoEndpoint::form(&sso_url),
            other_key: OTHER_KEY.clone(),
            product: integration.product.clone(),
            created,
            serving,
            root: root.to_owned(),
            metadata,
            plans,
            async_timeout: options.async_timeout,
            is_refused: AtomicBool::new(false),
        })
    }

    /// Returns the URL of Vercel's side.
    pub(super) fn platform_url(&self) -> &str {
        self.serving.url()
    }

    fn plans(&self) -> &[String] {
        self.plans.get().map_or(&[], Vec::as_slice)
    }

    /// Returns the plan to provision.
    pub(super) fn plan(&self) -> &str {
        self.plans().first().map_or("", String::as_str)
    }

    /// Returns the plan to change to.
    pub(super) fn other_plan(&self) -> &str {
        self.plans().get(1).map_or(self.plan(), String::as_str)
    }

    /// Returns an installation that is not sent yet.
    pub(super) fn new_installation(&self) -> Installation {
        self.created.new_installation()
    }

    /// Returns the token of an administrator.
    pub(super) fn token(&self, installation: &Installation) -> Token {
        self.platform.user_token(installation)
    }

    pub(super) fn provision(&self, installation: &Installation) -> Call<Json> {
        self.provision_on(installation, self.plan())
    }

    pub(super) fn provision_on(&self, installation: &Installation, plan: &str) -> Call<Json> {
        let call = self.vercel.provision(installation, &self.product, plan);
        call.set("metadata", Value::Object(self.metadata.clone()))
    }

    /// Returns a read with the token of a user.
    pub(super) fn read(&self, resource: &Resource) -> Call<Json> {
        let token = self.token(&resource.installation).sign();
        self.vercel.resource(&resource.installation, &resource.id).bearer(&token).header("x-vercel-auth", "user")
    }

    /// Returns a change that changes only the name, which every add-on allows that serves the route.
    pub(super) fn rename(&self, resource: &Resource, name: &str) -> Call<Json> {
        let call = self.vercel.update(&resource.installation, &resource.id, self.plan());
        call.without("billingPlanId").set("name", name)
    }

    pub(super) fn update(&self, resource: &Resource, plan: &str) -> Call<Json> {
        self.vercel.update(&resource.installation, &resource.id, plan)
    }

    pub(super) fn rotate(&self, resource: &Resource) -> Call<Json> {
        self.vercel.rotate(&resource.installation, &resource.id, 1.0)
    }

    pub(super) fn deprovision(&self, resource: &Resource) -> Call<Json> {
        self.vercel.deprovision(&resource.installation, &resource.id)
    }

    /// Installs the integration in a team; skips the check if that fails.
    pub(super) async fn installed(&self) -> Result<Installation, Stop> {
        let installation = self.new_installation();
        let response = self.wire.send(self.vercel.install(&installation)).await?;
        skip_unless_ok(&response, "an installation", "installation.succeeds")?;
        Ok(installation)
    }

    /// Provisions a resource in a new installation; skips the check if that fails.
    pub(super) async fn new_resource(&self) -> Result<Resource, Stop> {
        self.resource_of(&self.installed().await?).await
    }

    /// Provisions a resource; skips the check if that fails.
    pub(super) async fn resource_of(&self, installation: &Installation) -> Result<Resource, Stop> {
        self.resource_by(installation, self.provision(installation)).await
    }

    /// Sends a provision; skips the check if it fails.
    pub(super) async fn resource_by(&self, installation: &Installation, call: Call<Json>) -> Result<Resource, Stop> {
        let response = self.wire.send(call).await?;
        skip_unless_ok(&response, "a provision", "provision.succeeds")?;
        let body = response.json().unwrap_or_default();
        let Some(id) = body["id"].as_str().filter(|id| !id.is_empty()) else {
            return Err(Stop::skipped("a provision is answered without an id (see vercel.provision.id)"));
        };
        Ok(Resource { installation: installation.clone(), id: id.to_owned(), body })
    }

    /// Returns whether a resource exists, as a read shows, and the response.
    pub(super) async fn exists(&self, resource: &Resource) -> Result<(bool, Response), Stop> {
        let response = self.wire.send(self.read(resource)).await?;
        let body = response.json().unwrap_or_default();
        Ok((response.is_success() && body["status"] != "uninstalled", response))
    }

    /// Requires that a resource exists or does not exist.
    pub(super) async fn must_exist(&self, resource: &Resource, exists: bool, when: &str) -> Result<(), Stop> {
        match self.exists(resource).await? {
            (true, response) if !exists => {
                Err(response.fault(format!("The resource exists {when}."), "Remove the resource."))
            }
            (false, response) if exists => {
                Err(response.fault(format!("The resource is gone {when}."), "Keep the resource."))
            }
            _ => Ok(()),
        }
    }

    /// Waits until the condition is true. Returns whether it became true before the timeout.
    pub(super) async fn eventually<F>(&self, condition: impl Fn() -> F) -> Result<bool, Stop>
    where
        F: Future<Output = Result<bool, Stop>>,
    {
        let end = tokio::time::Instant::now() + self.async_timeout;
        while !condition().await? {
            if tokio::time::Instant::now() >= end {
                return Ok(false);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(true)
    }

    /// Chooses the plans from the list: a free one first, then one that costs something.
    async fn choose_plans(&self) -> Result<(), SetupError> {
        if !self.plans().is_empty() {
            return Ok(());
        }
        let call = self.vercel.product_plans(&self.product, None);
        let listed = self.wire.try_send(call).await.ok().and_then(|response| response.json()).unwrap_or_default();
        let listed = listed["plans"].as_array().cloned().unwrap_or_default();
        let mut plans: Vec<_> = listed.iter().filter(|plan| rules::is_of_resource(plan)).collect();
        plans.sort_by_key(|plan| rules::is_paid(plan));
        let names: Vec<_> = plans.iter().filter_map(|plan| Some(plan["id"].as_str()?.to_owned())).collect();
        if names.is_empty() {
            return Err(SetupError::new(format!(
                "the add-on lists no plans for the product {}: pass the product's slug with --product, and plans with --plan",
                self.product
            )));
        }
        let _ = self.plans.set(names); // set only here
        Ok(())
    }
}

impl CheckTarget for Target {
    const MARKETPLACE: Marketplace = Marketplace::Vercel;

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn url(&self) -> String {
        maitre_core::mask_urls(&format!("{}/v1", self.root))
    }

    fn lacks(&self, capability: Capability) -> Option<String> {
        let one_plan = "only one plan is known: pass a second one, such as with --plan basic,premium";
        (capability == Capability::SecondPlan && self.plans().len() < 2).then(|| one_plan.to_owned())
    }

    fn is_offline(_check: &Check) -> bool {
        false
    }

    fn blocked(&self, check: &Check) -> Option<String> {
        let reason = || "the tokens are refused (see vercel.auth.accepted)".to_owned();
        (self.is_refused.load(Ordering::Relaxed) && check.id != "vercel.auth.accepted").then(reason)
    }

    async fn setup(&self) -> Result<(), SetupError> {
        let call = self.vercel.install(&self.new_installation());
        let response = match self.wire.try_send(call).await {
            Ok(response) => response,
            Err(no_response) => return no_response.unless_connected(&self.url()), // otherwise the checks report it
        };
        match response.status() {
            401 | 403 | 500.. => self.is_refused.store(true, Ordering::Relaxed),
            404 => {
                return Err(SetupError::new(format!(
                    "nothing is mounted at {}: PUT /installations/… is answered 404. Pass the URL above /v1 with --url",
                    self.url()
                )));
            }
            _ => self.choose_plans().await?,
        }
        Ok(())
    }

    async fn teardown(&self) {}
}
