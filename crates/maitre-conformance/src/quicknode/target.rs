//! The add-on under test, as QuickNode calls it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use maitre_testkit::{Call, Json, JwtLink, QuickNode};
use time::OffsetDateTime;

use super::created::Created;
use super::skip_unless_ok;
use crate::check::{Capability, Check};
use crate::error::SetupError;
use crate::marketplace::Marketplace;
use crate::response::Response;
use crate::run::CheckTarget;
use crate::url::split_origin;
use crate::verdict::Stop;
use crate::wire::Wire;

/// Secrets that the add-on and QuickNode share.
#[derive(Clone)]
pub(crate) struct Secrets {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) jwt_secret: String,
}

/// The add-on under test.
pub(crate) struct Target {
    pub(super) wire: Wire,
    pub(super) quicknode: QuickNode,
    pub(super) user: String,
    pub(super) password: String,
    root: String,
    plans: Vec<String>,
    /// Whether the credentials were refused.
    is_refused: AtomicBool,
    /// The dashboard URL of the first response, at the address of the add-on; `None` if it has none.
    dashboard_url: OnceLock<Option<String>>,
}

/// An account with one endpoint.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) account: String,
    pub(super) id: String,
}

impl Target {
    pub(crate) fn new(secrets: &Secrets, root: &str, plans: Vec<String>, timeout: Duration) -> Self {
        let Secrets { user, password, jwt_secret } = secrets.clone();
        let quicknode = QuickNode::new(root, &user, &password, &jwt_secret);
        let created = Arc::new(Created::new(quicknode.clone()));
        let wire = Wire::new(timeout, vec![password.clone(), jwt_secret], created);
        Self {
            wire,
            quicknode,
            user,
            password,
            root: root.to_owned(),
            plans,
            is_refused: AtomicBool::new(false),
            dashboard_url: OnceLock::new(),
        }
    }

    /// Returns the plan to provision.
    pub(super) fn plan(&self) -> &str {
        self.plans.first().map_or("test", String::as_str)
    }

    /// Returns the plan to change to.
    pub(super) fn other_plan(&self) -> &str {
        self.plans.get(1).map_or(self.plan(), String::as_str)
    }

    /// Returns ids of a new account and endpoint.
    pub(super) fn new_ids(&self) -> Endpoint {
        Endpoint { account: self.quicknode.new_account(), id: self.quicknode.new_endpoint() }
    }

    pub(super) fn provision(&self, endpoint: &Endpoint) -> Call<Json> {
        self.quicknode.provision(&endpoint.account, &endpoint.id, self.plan())
    }

    pub(super) fn update(&self, endpoint: &Endpoint) -> Call<Json> {
        self.quicknode.update(&endpoint.account, &endpoint.id, self.other_plan())
    }

    pub(super) fn deactivate(&self, endpoint: &Endpoint) -> Call<Json> {
        self.quicknode.deactivate(&endpoint.account, &endpoint.id)
    }

    pub(super) fn deprovision(&self, endpoint: &Endpoint) -> Call<Json> {
        self.quicknode.deprovision(&endpoint.account)
    }

    /// Provisions an endpoint of a new account; skips the check if that fails.
    pub(super) async fn new_endpoint(&self) -> Result<Endpoint, Stop> {
        let endpoint = self.new_ids();
        let response = self.wire.send(self.provision(&endpoint)).await?;
        skip_unless_ok(&response, "a provision", "provision.succeeds")?;
        Ok(endpoint)
    }

    /// Provisions another endpoint of the account; skips the check if that fails.
    pub(super) async fn second_endpoint(&self, first: &Endpoint) -> Result<Endpoint, Stop> {
        let second = Endpoint { id: self.quicknode.new_endpoint(), ..first.clone() };
        let response = self.wire.send(self.provision(&second)).await?;
        skip_unless_ok(&response, "a second endpoint", "provision.second-endpoint")?;
        Ok(second)
    }

    /// Requires that an endpoint exists or does not exist, as an update shows.
    pub(super) async fn must_exist(&self, endpoint: &Endpoint, exists: bool, when: &str) -> Result<(), Stop> {
        let response = self.wire.send(self.update(endpoint)).await?.to(format!("an update {when}"));
        match (response.status(), exists) {
            (200, false) => Err(response.fault(format!("The endpoint exists {when}."), "Remove the endpoint.")),
            (200, true) => Ok(()),
            (_, false) => response.must_be(&[404], "Answer 404 for an endpoint that does not exist.").map(drop),
            (_, true) => Err(response.fault(format!("The endpoint is gone {when}."), "Keep the endpoint.")),
        }
    }

    /// Skips the check unless an update of a live endpoint succeeds and one of an unknown endpoint does not, so that updates
    /// show whether an endpoint exists.
    pub(super) async fn require_updates(&self) -> Result<(), Stop> {
        let response = self.wire.send(self.update(&self.new_endpoint().await?)).await?;
        skip_unless_ok(&response, "an update", "update.succeeds")?;
        match self.wire.send(self.update(&self.new_ids())).await?.status() {
            404 => Ok(()),
            status => Err(Stop::skipped(format!(
                "an update of an unknown account is answered {status} (see quicknode.update.unknown-account)"
            ))),
        }
    }

    /// Returns a sign-on link for the account, with a token that the portal would send.
    pub(super) fn link(&self, account: &str) -> Call<JwtLink> {
        match self.dashboard_url.get() {
            Some(Some(url)) => self.quicknode.single_sign_on_at(url, account),
            _ => self.quicknode.single_sign_on(account),
        }
    }

    /// Returns the time in seconds since 1970.
    pub(super) fn now() -> i64 {
        OffsetDateTime::now_utc().unix_timestamp()
    }

    /// Sends a link and follows its redirects without cookies, as the checker does. Returns the last response.
    pub(super) async fn open(&self, link: Call<JwtLink>) -> Result<Response, Stop> {
        let mut url = link.url();
        let mut response = self.wire.send(link).await?;
        for _ in 0..10 {
            let location = response.header("location").filter(|_| (300..400).contains(&response.status()));
            let Some(location) = location.and_then(|location| resolve(&url, location)) else { break };
            url = location;
            response = self.wire.send(self.quicknode.page(&url)).await?;
        }
        Ok(response)
    }
}

/// Moves the path of a URL to the origin of `root`: an add-on under test may have a public address of its own.
fn at_origin_of(root: &str, url: &str) -> String {
    let path = split_origin(url).1.split(['?', '#']).next().unwrap_or_default();
    format!("{}{path}", split_origin(root).0)
}

/// Resolves a redirect to the same origin.
fn resolve(url: &str, location: &str) -> Option<String> {
    let (origin, _) = split_origin(url);
    match location {
        path if path.starts_with('/') && !path.starts_with("//") => Some(format!("{origin}{path}")),
        absolute => absolute.starts_with(&format!("{origin}/")).then(|| absolute.to_owned()),
    }
}

impl CheckTarget for Target {
    const MARKETPLACE: Marketplace = Marketplace::QuickNode;

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn url(&self) -> String {
        maitre_core::mask_urls(&format!("{}/provision", self.root))
    }

    fn lacks(&self, capability: Capability) -> Option<String> {
        let one_plan = "only one plan is known: pass a second one, such as with --plan basic,premium";
        (capability == Capability::SecondPlan && self.plans.len() < 2).then(|| one_plan.to_owned())
    }

    fn is_offline(_check: &Check) -> bool {
        false
    }

    fn blocked(&self, check: &Check) -> Option<String> {
        if self.dashboard_url.get() == Some(&None) && check.group() == "quicknode.sso" {
            return Some("the add-on sends no dashboard-url, so it has no single sign-on".to_owned());
        }
        let is_cause = check.group() == "quicknode.auth" || check.group() == "quicknode.health";
        let reason = || "the credentials are refused (see quicknode.auth.right-credentials)".to_owned();
        (self.is_refused.load(Ordering::Relaxed) && !is_cause).then(reason)
    }

    async fn setup(&self) -> Result<(), SetupError> {
        let response = match self.wire.try_send(self.provision(&self.new_ids())).await {
            Ok(response) => response,
            Err(no_response) => return no_response.unless_connected(&self.url()), // otherwise the checks report it
        };
        if let Some(body) = response.json().filter(|_| response.is_success()) {
            let url = body["dashboard-url"].as_str().map(|url| at_origin_of(&self.root, url));
            let _ = self.dashboard_url.set(url); // set only here
        }
        match response.status() {
            401 => self.is_refused.store(true, Ordering::Relaxed),
            404 => {
                return Err(SetupError::new(format!(
                    "nothing is mounted at {}: POST is answered 404. Pass the URL above /provision with --url",
                    self.url()
                )));
            }
            422 => {
                return Err(SetupError::new(format!(
                    "the add-on refuses the plan {} with 422: pass plans that it sells with --plan, the first to provision \
                     and the second to change to",
                    self.plan()
                )));
            }
            _ => {}
        }
        Ok(())
    }

    async fn teardown(&self) {
        self.wire.created().release_kept();
    }
}
