use std::{
    fmt,
    sync::{Arc, MutexGuard},
};

use super::{
    super::state::{
        call_counts::CallCounts,
        clock::Clock,
        event::{PlatformEvent, Watchers},
        exchange::Exchange,
        journal::Journal,
        settings::Settings,
        shared::SharedState,
        store::{PlatformState, Service},
        violation::Violation,
    },
    fault::{Fault, Faults},
};
use crate::send::client;

/// Heroku, as the vendor of one add-on meets it; see [the module](super).
///
/// A clone is the same platform. `Debug` shows the add-on's slug, no secret.
#[derive(Clone)]
pub struct Platform(Arc<Shared>);

struct Shared {
    slug: String,
    state: SharedState,
    watchers: Arc<Watchers>,
    faults: Faults,
    client: reqwest::Client,
    /// Held by the task that delivers webhooks.
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
        let mut state = PlatformState::new(service, clock.clone(), journal.clone(), watchers.clone());
        state.settings = settings;
        Self(Arc::new(Shared {
            slug,
            state: SharedState::new(state),
            watchers,
            faults: Faults::new(seed),
            client: client(),
            delivery_lock: tokio::sync::Mutex::new(()),
        }))
    }

    /// Changes the [settings](Settings) from now on.
    pub fn update_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Heroku's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.0.state.clock()
    }

    /// Orders a fault.
    pub fn inject_fault(&self, fault: Fault) {
        self.0.faults.inject(fault);
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
        self.0.faults.set_seed(seed);
    }

    /// Changes the client secret, as the partner portal's reset does: all access tokens die at once.
    pub fn reset_client_secret(&self, secret: &str) {
        let mut state = self.state();
        secret.clone_into(&mut state.service.client_secret);
        state.revoke(None);
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
        self.journal().copy()
    }

    /// What was counted of the calls for all add-ons.
    #[must_use]
    pub fn call_counts(&self) -> CallCounts {
        self.state().addons.values().map(|addon| addon.call_counts).sum()
    }

    /// What the vendor did wrong so far, as far as [it is remembered](Settings::kept).
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.state().violations.iter().cloned().collect()
    }

    /// Locks the state, after everything that is due has happened.
    pub(super) fn state(&self) -> MutexGuard<'_, PlatformState> {
        self.0.state.lock()
    }

    pub(super) fn shared_state(&self) -> &SharedState {
        &self.0.state
    }

    pub(super) fn journal(&self) -> &Journal {
        self.0.state.journal()
    }

    pub(super) fn pending_faults(&self) -> &Faults {
        &self.0.faults
    }

    pub(super) fn watchers(&self) -> &Watchers {
        &self.0.watchers
    }

    pub(super) fn client(&self) -> &reqwest::Client {
        &self.0.client
    }

    pub(super) fn delivery_lock(&self) -> &tokio::sync::Mutex<()> {
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
