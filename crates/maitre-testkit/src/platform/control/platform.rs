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

/// Simulated Heroku platform with one add-on; see [the module](crate::platform).
///
/// A clone refers to the same platform. `Debug` shows the add-on's slug and no secret.
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
    /// Returns a platform with one add-on: the manifest's `id` and `api.password`, and the client secret of the
    /// partner portal.
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

    /// Changes the [settings](Settings).
    pub fn update_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.state().settings);
    }

    /// Returns the platform's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.0.state.clock()
    }

    /// Injects a fault.
    pub fn inject_fault(&self, fault: Fault) {
        self.0.faults.inject(fault);
    }

    /// Returns the faults that are not used up.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.0.faults.list()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.0.faults.clear();
    }

    /// Sets the seed of the [chances](Fault::chance) of faults. Defaults to 0.
    pub fn set_seed(&self, seed: u64) {
        self.0.faults.set_seed(seed);
    }

    /// Changes the client secret, as a reset in the partner portal does: all access tokens are revoked.
    pub fn reset_client_secret(&self, secret: &str) {
        let mut state = self.state();
        secret.clone_into(&mut state.service.client_secret);
        state.revoke(None);
    }

    /// Calls `watcher` for every event from now on.
    ///
    /// `watcher` runs while the platform is locked: it must not block or call the platform.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use maitre_testkit::platform::{PlatformEvent, Platform};
    ///
    /// let platform = Platform::new("tally", "password", "client secret");
    /// let (sender, events) = std::sync::mpsc::channel();
    /// platform.watch(move |event| drop(sender.send(event.clone())));
    ///
    /// let api = platform.serve().await?;
    /// reqwest::Client::builder().user_agent("tally/1.0").build()?.get(format!("{}/addons", api.url())).send().await?;
    /// let received: Vec<_> = events.try_iter().map(|event| matches!(event, PlatformEvent::RequestReceived(_))).collect();
    /// assert_eq!(received, [true, false, false], "a request, a violation, a response");
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self, watcher: impl Fn(&PlatformEvent) + Send + Sync + 'static) {
        self.0.watchers.add(watcher);
    }

    /// Returns the calls so far, in the order of arrival, up to the [limit](Settings::history_limit).
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.journal().copy()
    }

    /// Returns the counters of the calls for all installs.
    #[must_use]
    pub fn call_counts(&self) -> CallCounts {
        self.state().addons.values().map(|addon| addon.call_counts).sum()
    }

    /// Returns the vendor's violations so far, up to the [limit](Settings::history_limit).
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
