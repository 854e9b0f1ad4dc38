use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::Router;
use maitre_testkit::platform::{Install, News, Order, Platform, Rule, State};
use tokio::sync::{Notify, broadcast};

use crate::{
    Chaos, Fault, SandboxBuilder, SetupError,
    addon::Addon,
    dispatch,
    events::PageEvent,
    fault::{FaultSchedule, inbound},
    journal::{Completion, Direction, Filter, Finding, Head, Journal, Kind, Message, Store},
    judge,
    send::{Lifecycle, Outcome, Retry},
};

/// So many pieces of news wait for a page that is slow to take them.
const NEWS: usize = 4_096;

/// What the keys of retries begin with in the file, beside what the platform keeps there.
const RETRY: &str = "retry/";

/// A marketplace that sells one add-on: both halves of the protocol, and a page to click on.
///
/// ```no_run
/// use maitre_sandbox::Sandbox;
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let manifest = std::fs::read_to_string("addon-manifest.json")?;
/// let sandbox = Sandbox::builder(&manifest)?.url("http://127.0.0.1:5000").plans(["basic", "premium=900"])?.open()?;
/// let serving = sandbox.serve(tokio::net::TcpListener::bind("127.0.0.1:7000").await?)?;
/// println!("open {}", serving.url());
///
/// let install = sandbox.provision("basic").await; // what the page's button does
/// println!("{} is {}", install.name(), install.state());
/// # Ok(())
/// # }
/// ```
///
/// A clone is the same sandbox. `Debug` shows the add-on's slug, no secret.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) platform: Platform,
    pub(crate) addon: Addon,
    pub(crate) journal: Journal,
    pub(crate) live: broadcast::Sender<PageEvent>,
    pub(crate) faults: FaultSchedule,
    retries: Mutex<Vec<Retry>>,
    /// The states that were told last, by uuid.
    states: Mutex<BTreeMap<String, State>>,
    /// Rung when a call to the add-on has ended: what was held back may go.
    pub(crate) overtaken: Notify,
    pub(crate) api_key: String,
    pub(crate) client_secret: String,
    /// The host names by which it may be called, beside those of this machine.
    pub(crate) hosts: Vec<String>,
    pub(crate) url: OnceLock<String>,
    /// Whether somebody listens where the add-on should be.
    pub(crate) reachable: AtomicBool,
    /// Whether there is something new to write into the file.
    dirty: AtomicBool,
}

impl Sandbox {
    /// Begins with the text of the add-on's manifest; what else there is to say is said to the [`SandboxBuilder`].
    ///
    /// # Errors
    /// [`SetupError`] says what of the manifest cannot be read.
    pub fn builder(manifest: &str) -> Result<SandboxBuilder, SetupError> {
        SandboxBuilder::new(manifest)
    }

    pub(crate) fn new(addon: Addon, store: Store, setup: &SandboxBuilder) -> Self {
        let platform = Platform::new(&addon.slug, &addon.password, &setup.client_secret);
        platform.change(|settings| {
            addon.settle(settings);
            settings.kept = 1_000; // the journal keeps the rest
        });
        let (live, _) = broadcast::channel(NEWS);
        let sandbox = Self(Arc::new(Inner {
            addon,
            journal: Journal::new(store, live.clone()),
            live,
            faults: FaultSchedule::default(),
            retries: Mutex::default(),
            states: Mutex::default(),
            overtaken: Notify::new(),
            api_key: setup.api_key.clone(),
            client_secret: setup.client_secret.clone(),
            hosts: setup.hosts.clone(),
            url: OnceLock::new(),
            reachable: AtomicBool::new(true),
            dirty: AtomicBool::new(false),
            platform,
        }));
        let inner = Arc::downgrade(&sandbox.0);
        sandbox.platform().watch(move |news| {
            if let Some(inner) = inner.upgrade() {
                inner.hear(news);
            }
        });
        sandbox
    }

    /// Goes on where the file says that the last process stopped.
    pub(crate) fn load_state(&self) -> Result<(), SetupError> {
        let odd = |cause| {
            SetupError::with_source("the file was not written by a sandbox of this add-on: name another one", cause)
        };
        let mut memory = self.0.journal.store().memory();
        let retries = memory.split_off(RETRY);
        if !memory.is_empty() {
            self.platform().remember(&memory).map_err(odd)?;
        }
        for text in retries.iter().filter(|(key, _)| key.starts_with(RETRY)).map(|(_, text)| text) {
            let retry = serde_json::from_str(text).map_err(odd)?;
            self.retries().push(retry);
        }
        for install in self.platform().installs() {
            self.states().insert(install.uuid().to_owned(), install.state());
            let known = self.retries().iter().any(|retry| retry.uuid == install.uuid());
            let left = match install.state() {
                State::Provisioning if install.answered() != Some(202) => Lifecycle::Provision,
                State::Deprovisioning => Lifecycle::Deprovision,
                _ => continue,
            };
            if !known {
                self.retry(Retry::at_once(&install, left, self.platform().clock().now()));
            }
        }
        Ok(())
    }

    /// Heroku's own side of its API, with its clock, its settings and the faults that befall the add-on's calls.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.0.platform
    }

    /// Where the page is, once it is [served](Self::serve).
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.get().map(String::as_str)
    }

    /// All of it as a router for the root of a host, for a server of yours: the page, what the add-on calls and what a
    /// customer's client calls. [`serve`](Self::serve) does more: it asks again, delivers webhooks and drops
    /// connections on purpose.
    pub fn router(&self) -> Router {
        dispatch::router(self)
    }

    /// A customer orders the add-on on this plan, for an app of its own, and the add-on is asked. Returns when it
    /// answered, or did not within 25 seconds.
    pub async fn provision(&self, plan: &str) -> Install {
        self.place(self.platform().order(plan)).await.0
    }

    /// Places an order of the platform's and carries it to the add-on.
    pub(crate) async fn place(&self, order: Order) -> (Install, Outcome) {
        let install = order.install();
        let outcome = self.perform(&install, Lifecycle::Provision).await;
        (install, outcome)
    }

    /// Orders a fault for the next call to the add-on that it can befall.
    pub fn inject_fault(&self, fault: Fault) {
        self.0.faults.schedule(fault, None, 1);
        self.tell(PageEvent::Panel);
    }

    /// FaultSchedule by chance from now on, both ways, in place of those before.
    pub fn set_chaos(&self, chaos: Chaos, seed: u64) {
        self.0.faults.set_chaos(chaos, seed);
        self.platform().clear_faults();
        self.platform().seed(seed);
        inbound::random(chaos).for_each(|fault| self.platform().fault(fault));
        self.tell(PageEvent::Panel);
    }

    /// Whether an app has an add-on of this kind already, and may have no second one.
    pub(crate) fn is_full(&self, app: &str) -> bool {
        let has_one = || self.live_installs().iter().any(|install| install.app() == app);
        !self.addon().has("many_per_app") && has_one()
    }

    pub(crate) fn live_installs(&self) -> Vec<Install> {
        let mut installs = self.platform().installs();
        installs.retain(|install| install.state() != State::Deprovisioned);
        installs
    }

    pub(crate) fn retry(&self, retry: Retry) {
        let mut retries = self.retries();
        retries.retain(|known| known.uuid != retry.uuid);
        retries.push(retry);
        drop(retries);
        self.0.dirty.store(true, Ordering::Relaxed);
    }

    /// The retry that is due for an install, if one is.
    pub(crate) fn retry_of(&self, uuid: &str) -> Option<Retry> {
        self.retries().iter().find(|retry| retry.uuid == uuid).cloned()
    }

    /// Does what is due: add-ons that nobody finishes are removed, new states are told, the add-on is asked again.
    pub(crate) fn tick(&self) {
        for install in self.platform().installs() {
            let state = install.state();
            // what is new was ordered, and so began
            let before = self.states().insert(install.uuid().to_owned(), state).unwrap_or(State::Provisioning);
            if before != state {
                let title = format!("{} is {state}", install.name());
                self.0.journal.note(self.platform().clock().now(), Some(install.uuid()), title, None);
                self.tell(PageEvent::Installs);
            }
        }
        let now = self.platform().clock().now();
        let due: Vec<_> = self.retries().extract_if(.., |retry| retry.due <= now).collect();
        for retry in due {
            tokio::spawn(self.clone().again(retry));
        }
    }

    /// Writes into the file what is new, if there is a file.
    pub(crate) fn save(&self) {
        let store = self.0.journal.store();
        if !store.is_file() || !self.0.dirty.swap(false, Ordering::Relaxed) {
            return;
        }
        let mut memory = self.platform().memory();
        for retry in self.retries().iter() {
            memory.insert(format!("{RETRY}{}", retry.uuid), serde_json::to_string(retry).unwrap_or_default());
        }
        if store.remember(&memory).is_err() {
            self.0.dirty.store(true, Ordering::Relaxed); // the disk may have room later
        }
    }

    pub(crate) fn tell(&self, live: PageEvent) {
        self.0.tell(live);
    }

    pub(crate) fn addon(&self) -> &Addon {
        &self.0.addon
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    fn retries(&self) -> MutexGuard<'_, Vec<Retry>> {
        self.0.retries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.0.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// What the platform tells, in the midst of what it does.
    fn hear(&self, news: &News) {
        self.dirty.store(true, Ordering::Relaxed);
        match news {
            News::Asked(exchange) => self.journal.asked(exchange),
            News::Ended(exchange) => self.journal.answered(exchange),
            News::Posted { uuid, request, reply } => {
                let at = self.platform.clock().now();
                let head = Head {
                    uuid: Some(uuid.clone()),
                    method: request.method().to_owned(),
                    url: request.url().to_owned(),
                    ..Head::new(at, Direction::ToAddon, Kind::Webhook, Kind::Webhook.title())
                };
                let id = self.journal.begin(head, &Message::new(request.headers(), request.body()));
                let answer = reply.as_ref().map(|reply| Message::new(reply.headers(), reply.body()));
                let status = reply.as_ref().map(maitre_testkit::Reply::status);
                self.journal.end(id, Completion { status, answer, ..Completion::default() });
            }
            News::Broken(violation) => {
                if violation.rule() == Rule::LostGrant && !self.needs_a_token(violation.uuid()) {
                    return;
                }
                let finding = judge::check_of(violation.rule()).map(|check| Finding::new(check, violation.to_string()));
                if finding.is_some() {
                    self.journal.note(violation.at(), violation.uuid(), "Against Heroku's rules", finding);
                }
            }
            News::Changed(_) => self.tell(PageEvent::Installs),
            _ => {}
        }
    }

    /// Whoever answers at once and never calls Heroku has no use for a grant. The journal is asked, as the platform is in
    /// the midst of telling.
    fn needs_a_token(&self, uuid: Option<&str>) -> bool {
        let entries = self.journal.store().page(&Filter { uuid: uuid.map(str::to_owned), ..Filter::default() }, 100);
        entries.iter().any(|(_, head)| head.kind == Kind::Provision && head.status == Some(202))
    }

    fn tell(&self, live: PageEvent) {
        // nobody may be looking
        let _ = self.live.send(live);
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("addon", &self.0.addon.slug).finish_non_exhaustive()
    }
}
