//! Heroku's own side of its API, for tests: the token endpoint, the Platform API as far as a vendor's token opens it,
//! webhooks and the inventory of installs, on a port of its own or as an [`axum::Router`].
//!
//! A [`Platform`] is Heroku as one add-on's vendor meets it. A customer orders by [`Platform::install`]; the testkit's
//! [`Heroku`](crate::Heroku) carries that order, with its very grant, to the vendor under test; what the vendor then
//! asks of the platform is answered, written down and judged:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use maitre_testkit::platform::{Platform, State};
//! use serde_json::json;
//!
//! let platform = Platform::new("tally", "password", "client secret");
//! let api = platform.serve().await?;
//! let install = platform.install("basic");
//!
//! // What a vendor does that answered 202:
//! let http = reqwest::Client::builder().user_agent("tally/1.0").build()?;
//! let grant = install.grant();
//! let form = [("grant_type", "authorization_code"), ("code", grant.code()), ("client_secret", "client secret")];
//! let token: serde_json::Value =
//!     http.post(format!("{}/oauth/token", api.url())).form(&form).send().await?.json().await?;
//! let ask = |request: reqwest::RequestBuilder| {
//!     let request = request.header("accept", "application/vnd.heroku+json; version=3");
//!     request.bearer_auth(token["access_token"].as_str().unwrap()).send()
//! };
//! let addon = format!("{}/addons/{}", api.url(), install.uuid());
//! let config = json!({ "config": [{ "name": "TALLY_URL", "value": "https://tally.example/4711" }] });
//! ask(http.patch(format!("{addon}/config")).json(&config)).await?.error_for_status()?;
//! ask(http.post(format!("{addon}/actions/provision"))).await?.error_for_status()?;
//!
//! assert_eq!(install.state(), State::Provisioned);
//! assert_eq!(install.call_counts().exchanges, 1);
//! assert!(platform.violations().is_empty(), "{:#?}", platform.violations());
//! # Ok(())
//! # }
//! ```
//!
//! - **A clock one can turn**: [`Platform::clock`]. Grants live five minutes, tokens eight hours, an add-on that nobody
//!   finishes twelve hours, and no test has to wait for it.
//! - **News as they come**: [`Platform::watch`], for whoever shows or keeps what happens.
//! - **Faults one can order**: [`Platform::fault`]. A status, a dropped connection, a delay, half a body, before or after
//!   the work was done, for the next calls that match or for a share of them that is the same in every run.
//! - **Where the documents leave something open**, [`Settings`] say how it is here.
//!
//! What is played is what Heroku's documents and its published schema say; what they leave out is marked in the
//! settings. It shares no code with the library that it judges.

mod addon;
mod addons;
mod app;
mod apps;
mod auth;
mod call_counts;
mod clock;
mod event;
mod exchange;
mod fault;
mod install;
mod inventory;
mod journal;
mod oauth;
mod objects;
mod problem;
mod range;
mod record;
mod router;
mod serve;
mod settings;
mod snapshot;
mod state;
mod tokens;
mod violation;
mod webhooks;
mod world;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Router, middleware::from_fn_with_state};

pub use self::{
    app::App,
    call_counts::CallCounts,
    clock::Clock,
    event::PlatformEvent,
    exchange::Exchange,
    fault::Fault,
    install::{Install, InstallBuilder},
    serve::PlatformServer,
    settings::{RefreshTokens, Settings},
    state::State,
    tokens::Grant,
    violation::{Rule, Violation},
    webhooks::Delivery,
};
use self::{
    event::Watchers,
    fault::Faults,
    journal::Journal,
    problem::Problem,
    world::{PlatformState, Service},
};
use crate::request;

/// Heroku, as the vendor of one add-on meets it; see [the module](self).
///
/// A clone is the same platform. `Debug` shows the add-on's slug, no secret.
#[derive(Clone)]
pub struct Platform(Arc<Shared>);

struct Shared {
    slug: String,
    world: Mutex<PlatformState>,
    clock: Clock,
    journal: Arc<Journal>,
    watchers: Arc<Watchers>,
    faults: Faults,
    client: reqwest::Client,
    /// Who delivers webhooks does it alone.
    delivery_lock: tokio::sync::Mutex<()>,
}

impl Platform {
    /// Heroku with one add-on to sell: the manifest's `id` and `api.password`, and the client secret of the partner
    /// portal.
    #[must_use]
    pub fn new(slug: &str, password: &str, client_secret: &str) -> Self {
        Self::builder(slug, password, client_secret).build()
    }

    /// Returns a builder of a platform with other settings.
    pub fn builder(slug: &str, password: &str, client_secret: &str) -> PlatformBuilder {
        PlatformBuilder {
            slug: slug.to_owned(),
            password: password.to_owned(),
            client_secret: client_secret.to_owned(),
            settings: Settings::default(),
            seed: 0,
        }
    }

    fn from_builder(builder: PlatformBuilder) -> Self {
        let PlatformBuilder { slug, password, client_secret, settings, seed } = builder;
        let watchers = Arc::new(Watchers::default());
        let (clock, journal) = (Clock::new(), Arc::new(Journal::new(watchers.clone())));
        let service = Service::new(&slug, &password, &client_secret);
        let mut world = PlatformState::new(service, clock.clone(), journal.clone(), watchers.clone());
        world.settings = settings;
        let faults = Faults::new();
        faults.seed(seed);
        Self(Arc::new(Shared {
            slug,
            world: Mutex::new(world),
            clock,
            journal,
            watchers,
            faults,
            client: request::client(),
            delivery_lock: tokio::sync::Mutex::new(()),
        }))
    }

    /// Changes the [settings](Settings) from now on.
    pub fn update_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.world().settings);
    }

    /// Heroku's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// All that a vendor may call, without a fallback, to be served or called in your process. Nest it where you like.
    ///
    /// Webhooks are delivered by [`serve`](Self::serve) or by [`deliver_webhooks`](Self::deliver_webhooks).
    pub fn router(&self) -> Router {
        router::router(self).layer(from_fn_with_state(self.clone(), record::record))
    }

    /// The same, and all else is not there, which gets written down, too.
    pub fn router_with_fallback(&self) -> Router {
        let router = router::router(self).fallback(|| async { Problem::not_found("page") });
        router.layer(from_fn_with_state(self.clone(), record::record))
    }

    /// A customer orders the add-on on this plan, a bare name such as `basic`.
    #[must_use]
    pub fn install(&self, plan: &str) -> Install {
        self.install_builder(plan).create()
    }

    /// A customer is about to order the add-on on this plan.
    pub fn install_builder(&self, plan: &str) -> InstallBuilder {
        InstallBuilder::new(self.clone(), plan)
    }

    /// All that was ever ordered.
    #[must_use]
    pub fn installs(&self) -> Vec<Install> {
        let uuids: Vec<_> = self.world().addons.keys().cloned().collect();
        uuids.into_iter().map(|uuid| Install::new(self.clone(), uuid)).collect()
    }

    /// The add-on of this uuid, or the one that has this name now.
    ///
    /// ```
    /// use maitre_testkit::platform::Platform;
    ///
    /// let platform = Platform::new("tally", "password", "client secret");
    /// let install = platform.install_builder("basic").name("tally-shop").create();
    /// assert_eq!(platform.find("tally-shop").map(|found| found.uuid().to_owned()), Some(install.uuid().to_owned()));
    /// ```
    #[must_use]
    pub fn find(&self, named: &str) -> Option<Install> {
        let world = self.world();
        let has_name = |addon: &&addon::Addon| addon.name == named && addon.removal.is_none();
        let found = world.addons.get(named).or_else(|| world.addons.values().find(has_name));
        found.map(|addon| Install::new(self.clone(), addon.uuid.clone()))
    }

    /// All apps that customers have.
    #[must_use]
    pub fn apps(&self) -> Vec<App> {
        let ids: Vec<_> = self.world().apps.keys().cloned().collect();
        ids.into_iter().map(|id| App::new(self.clone(), id)).collect()
    }

    /// The customer's app of this name, which is made if there is none.
    #[expect(clippy::must_use_candidate, reason = "to make one is use enough")]
    pub fn app(&self, name: &str) -> App {
        let id = self.world().app_named(name);
        App::new(self.clone(), id)
    }

    /// Orders a fault.
    pub fn inject_fault(&self, fault: Fault) {
        self.0.faults.order(fault);
    }

    /// The faults that are ordered and not used up.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.0.faults.list()
    }

    /// Takes back all faults that are not used up.
    pub fn clear_faults(&self) {
        self.0.faults.clear();
    }

    /// What the [chances](Fault::chance) of faults are drawn from; 0 if nobody says.
    pub fn set_seed(&self, seed: u64) {
        self.0.faults.seed(seed);
    }

    /// Changes the client secret, as the partner portal's reset does: all access tokens die at once.
    pub fn reset_client_secret(&self, secret: &str) {
        let mut world = self.world();
        secret.clone_into(&mut world.service.client_secret);
        world.revoke(None);
    }

    /// Tells what happens from now on, as it happens.
    ///
    /// `told` is called in the midst of things: it hands the news on, and asks the platform nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use maitre_testkit::platform::{PlatformEvent, Platform};
    ///
    /// let platform = Platform::new("tally", "password", "client secret");
    /// let (sender, news) = std::sync::mpsc::channel();
    /// platform.watch(move |news| drop(sender.send(news.clone())));
    ///
    /// let api = platform.serve().await?;
    /// reqwest::Client::builder().user_agent("tally/1.0").build()?.get(format!("{}/addons", api.url())).send().await?;
    /// let told: Vec<_> = news.try_iter().map(|news| matches!(news, PlatformEvent::RequestReceived(_))).collect();
    /// assert_eq!(told, [true, false, false], "it was asked, a rule was broken, it was answered");
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self, told: impl Fn(&PlatformEvent) + Send + Sync + 'static) {
        self.0.watchers.add(told);
    }

    /// Every call so far, in the order of arrival, as far as [it is remembered](Settings::kept).
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.0.journal.copy()
    }

    /// What was counted of the calls for all add-ons.
    #[must_use]
    pub fn call_counts(&self) -> CallCounts {
        self.world().addons.values().map(|addon| addon.call_counts).sum()
    }

    /// What the vendor did wrong so far, as far as [it is remembered](Settings::kept).
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.world().violations.iter().cloned().collect()
    }

    /// The world as it is now: what was due has happened.
    fn world(&self) -> MutexGuard<'_, PlatformState> {
        let mut world = self.0.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle(self.0.clock.now());
        world
    }

    fn journal(&self) -> &Journal {
        &self.0.journal
    }

    fn ordered_faults(&self) -> &Faults {
        &self.0.faults
    }

    fn client(&self) -> &reqwest::Client {
        &self.0.client
    }

    fn delivery_lock(&self) -> &tokio::sync::Mutex<()> {
        &self.0.delivery_lock
    }
}

/// Builder of a [`Platform`].
#[must_use = "a builder does nothing until build() is called"]
pub struct PlatformBuilder {
    slug: String,
    password: String,
    client_secret: String,
    settings: Settings,
    seed: u64,
}

impl PlatformBuilder {
    /// Changes the [settings](Settings).
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Sets the seed of the [chances](Fault::chance) of faults. Defaults to 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Builds the platform.
    #[must_use]
    pub fn build(self) -> Platform {
        Platform::from_builder(self)
    }
}

impl fmt::Debug for PlatformBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformBuilder").field("slug", &self.slug).finish_non_exhaustive()
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("slug", &self.0.slug).finish_non_exhaustive()
    }
}
