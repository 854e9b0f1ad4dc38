use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use maitre_conformance::Marketplace;
use maitre_testkit::platform::{Install, InstallPage, Platform, State};
use tokio::sync::Notify;

use crate::{
    Chaos, Fault,
    addon::Addon,
    apps::Apps,
    contract::{self, Contract, Credentials, Facts, Profile},
    entry::Kind,
    events::{PageEvent, Subscribers},
    fault::{FaultSchedule, inbound},
    journal::{Journal, Store},
    manifests::Manifests,
    retry::Retries,
    trial::Trial,
};

/// Marketplace that sells one add-on: its calls to the add-on, the API that add-ons call, and a web page.
///
/// ```no_run
/// use maitre_sandbox::Sandbox;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let manifest = std::fs::read_to_string("addon-manifest.json")?;
/// let sandbox = Sandbox::builder(&manifest)?.url("http://127.0.0.1:8300").plans(["basic", "premium=900"])?.open()?;
/// let serving = sandbox.serve(tokio::net::TcpListener::bind("127.0.0.1:8400").await?)?;
/// println!("open {}", serving.url());
///
/// let install = sandbox.provision("basic").await; // same as the page's Install button
/// println!("{} is {}", install.name(), install.state());
/// # Ok(())
/// # }
/// ```
///
/// A clone is the same sandbox. `Debug` shows the add-on's slug and no secrets.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) platform: Platform,
    pub(crate) addon: Addon,
    contract: Box<dyn Contract>,
    facts: Facts,
    pub(crate) journal: Journal,
    pub(crate) subscribers: Subscribers,
    pub(crate) faults: FaultSchedule,
    pub(crate) retries: Retries,
    apps: Apps,
    pub(crate) manifests: Manifests,
    /// State of each install that was noted last, by uuid.
    states: Mutex<BTreeMap<String, State>>,
    /// Last trial of a sign-on to each install, by uuid.
    trials: Mutex<BTreeMap<String, Trial>>,
    /// Uuids of the installs that a reset removed from the page.
    forgotten: Mutex<BTreeSet<String>>,
    /// Notified when a call to the add-on has completed, so that calls held back by `Fault::Reorder` are sent.
    pub(crate) call_completed: Notify,
    pub(crate) api_key: String,
    /// Accepted host names other than those of this machine.
    pub(crate) hosts: Vec<String>,
    pub(crate) url: OnceLock<String>,
    /// Whether the add-on's port accepted the last connection.
    pub(crate) reachable: AtomicBool,
    /// Whether the state has changed since it was saved.
    pub(crate) dirty: AtomicBool,
}

/// API key of the customer, and the host names that may be used.
pub(crate) struct Access {
    pub(crate) api_key: String,
    pub(crate) hosts: Vec<String>,
}

impl Sandbox {
    pub(crate) fn new(addon: Addon, store: Store, access: Access) -> Self {
        let Credentials { password, client_secret, .. } = &addon.credentials;
        let platform = Platform::new(&addon.slug, password, client_secret);
        platform.update_settings(|settings| {
            addon.configure(settings);
            settings.history_limit = 1_000; // the journal keeps more
        });
        let subscribers = Subscribers::new();
        let facts = Facts::default();
        let contract = contract::of(&addon.credentials, &platform, &facts);
        let sandbox = Self(Arc::new(Inner {
            addon,
            contract,
            facts,
            journal: Journal::new(store, subscribers.clone()),
            subscribers,
            faults: FaultSchedule::default(),
            retries: Retries::default(),
            apps: Apps::default(),
            manifests: Manifests::default(),
            states: Mutex::default(),
            trials: Mutex::default(),
            forgotten: Mutex::default(),
            call_completed: Notify::new(),
            api_key: access.api_key,
            hosts: access.hosts,
            url: OnceLock::new(),
            reachable: AtomicBool::new(true),
            dirty: AtomicBool::new(false),
            platform,
        }));
        let inner = Arc::downgrade(&sandbox.0);
        sandbox.platform().watch(move |event| {
            if let Some(inner) = inner.upgrade() {
                inner.on_platform_event(event);
            }
        });
        sandbox
    }

    /// Returns the customers' side: installs, apps, the clock, and faults in the add-on's calls. For Heroku it answers the calls
    /// of the add-on, too.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.0.platform
    }

    /// Returns the URL of the page, or `None` before [`serve`](Self::serve).
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.get().map(String::as_str)
    }

    /// Returns the marketplace that sells the add-on.
    #[must_use]
    pub fn marketplace(&self) -> Marketplace {
        self.profile().marketplace
    }

    /// Returns the addresses of the marketplace that the sandbox's API is used in place of, or `None` if add-ons call no API.
    #[must_use]
    pub fn api_replaces(&self) -> Option<&'static str> {
        self.profile().api
    }

    /// Returns the URL of the add-on's lifecycle calls.
    #[must_use]
    pub fn addon_url(&self) -> &str {
        &self.addon().base_url
    }

    /// Schedules a fault for the next call to the add-on that it applies to.
    pub fn inject_fault(&self, fault: Fault) {
        self.0.faults.schedule(fault, None, 1);
        self.publish(PageEvent::Panel);
    }

    /// Replaces the rate and the seed of random faults. Also removes scheduled faults in the add-on's calls.
    pub fn set_chaos(&self, chaos: Chaos, seed: u64) {
        self.0.faults.set_chaos(chaos, seed);
        self.platform().clear_faults();
        self.platform().set_seed(seed);
        inbound::random(chaos).for_each(|fault| self.platform().inject_fault(fault));
        self.publish(PageEvent::Panel);
    }

    /// Whether calls of this kind can meet a fault.
    pub(crate) fn can_meet(&self, fault: Fault, kind: Kind) -> bool {
        let has_token = match kind {
            Kind::SignOn => self.profile().sign_on_check.is_some(),
            _ => self.profile().has_tokens,
        };
        fault.applies_to(kind) && (fault != Fault::StaleToken || has_token)
    }

    /// Takes the fault of the next call of this kind.
    pub(crate) fn next_fault(&self, kind: Kind) -> Option<Fault> {
        self.0.faults.next(kind).filter(|fault| self.can_meet(*fault, kind))
    }

    /// Whether the add-on is installed on this app and the manifest does not allow a second install.
    pub(crate) fn is_full(&self, app: &str) -> bool {
        let is_installed = || self.live_installs().iter().any(|install| install.app() == app);
        self.profile().is_one_per_app && !self.addon().has("many_per_app") && is_installed()
    }

    pub(crate) fn live_installs(&self) -> Vec<Install> {
        let mut installs = self.platform().installs();
        installs.retain(|install| install.state() != State::Deprovisioned);
        installs
    }

    /// Returns the install of this uuid or name unless it is deprovisioned.
    pub(crate) fn live_install(&self, name: &str) -> Option<Install> {
        self.platform().find(name).filter(|install| install.state() != State::Deprovisioned)
    }

    pub(crate) fn name_of(&self, uuid: &str) -> Option<String> {
        self.platform().find(uuid).map(|install| install.name())
    }

    /// Returns the uuids of the installs whose name or app contains this text, at most 50.
    pub(crate) fn uuids_named(&self, text: &str) -> Vec<String> {
        let text = text.to_lowercase();
        let installs = self.installs().into_iter();
        let named = installs.filter(|install| install.name().contains(&text) || install.app().contains(&text));
        named.take(50).map(|install| install.uuid().to_owned()).collect()
    }

    pub(crate) fn publish(&self, event: PageEvent) {
        self.0.subscribers.publish(event);
    }

    pub(crate) fn addon(&self) -> &Addon {
        &self.0.addon
    }

    pub(crate) fn contract(&self) -> &dyn Contract {
        &*self.0.contract
    }

    pub(crate) fn profile(&self) -> &'static Profile {
        self.0.contract.profile()
    }

    /// Returns the name of the marketplace in sentences.
    pub(crate) fn marketplace_title(&self) -> &'static str {
        match self.marketplace() {
            Marketplace::OpenServiceBroker => "Cloud Foundry",
            marketplace => marketplace.title(),
        }
    }

    /// Returns a valid `Authorization` header in place of a recorded one.
    pub(crate) fn authorization(&self, recorded: &str) -> String {
        self.contract().renew_token(recorded).unwrap_or_else(|| self.addon().credentials.basic())
    }

    /// Returns the `Authorization` header of a call with wrong credentials.
    pub(crate) fn wrong_authorization(&self) -> String {
        self.contract().invalid_token().unwrap_or_else(|| self.addon().credentials.wrong_basic())
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.0.facts
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    pub(crate) fn apps(&self) -> &Apps {
        &self.0.apps
    }

    /// Adds a release to a customer's app.
    pub(crate) fn add_release(&self, app: &str, description: &str) {
        self.apps().release(app, description, self.platform().clock().now());
        self.mark_dirty();
    }

    /// Notes that the state has to be saved.
    pub(crate) fn mark_dirty(&self) {
        self.0.dirty.store(true, Ordering::Relaxed);
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn trials(&self) -> MutexGuard<'_, BTreeMap<String, Trial>> {
        self.0.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn forgotten(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.forgotten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns all installs, including deprovisioned ones, since the last reset.
    pub(crate) fn installs(&self) -> Vec<Install> {
        let mut installs = self.platform().installs();
        let forgotten = self.forgotten();
        installs.retain(|install| !forgotten.contains(install.uuid()));
        installs
    }

    /// Returns a page of the installs since the last reset, newest first, and the numbers of all and of live ones.
    pub(crate) fn install_page(&self, number: usize, size: usize, removed: bool) -> (InstallPage, usize, usize) {
        let (forgotten, mut total, mut live) = (self.forgotten(), 0, 0);
        let page = self.platform().install_page(number, size, |uuid, state| {
            let is_known = !forgotten.contains(uuid);
            let is_live = is_known && state != State::Deprovisioned;
            total += usize::from(is_known);
            live += usize::from(is_live);
            is_live || (is_known && removed)
        });
        (page, total, live)
    }

    pub(crate) fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.0.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("addon", &self.0.addon.slug).finish_non_exhaustive()
    }
}
