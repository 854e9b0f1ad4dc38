//! A vendor at a fake of Vercel, with and without a ledger.

use std::{
    borrow::Cow,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use maitre_core::{
    AccountId, Addon, AddonId, Backend as _, Deprovision, Deprovisioned, Listener, Marketplace, OpenAccount,
    PlanChange, PlanChanged, Provision, Provisioned, Result, Rotate, Rotated, SignOn, SignedOn, SupportsAsync,
};
use maitre_ledger::{DurableListener, Ledger};
use maitre_testkit::vercel::{Installation, Platform as Vercel, PlatformServer};
use maitre_vercel::{Api, Client, Platform, connect};
use time::OffsetDateTime;

pub(crate) struct Vendor {
    pub(crate) vercel: Vercel,
    pub(crate) server: PlatformServer,
    pub(crate) installation: Installation,
    pub(crate) client: Client,
}

impl Vendor {
    pub(crate) async fn new() -> Self {
        Self::with_clock(OffsetDateTime::now_utc).await
    }

    pub(crate) async fn with_clock(clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        let vercel = Vercel::new("oac_lantern", "client s3cr3t");
        let server = vercel.serve().await.expect("a free port");
        let installation = vercel.new_installation();
        vercel.add_resource(&installation, "ltn_1", "lantern");
        let http = connect().url(server.url()).no_proxy().clock(clock);
        let http = http.backoff(Duration::from_millis(1), Duration::from_millis(5)).build().expect("a client");
        let client = Client::new("oac_lantern", "client s3cr3t", http).expect("a client");
        Self { vercel, server, installation, client }
    }

    pub(crate) fn api(&self) -> Api {
        self.client.installation(self.installation.id(), self.installation.access_token().into())
    }

    /// Returns the number of calls that have reached the API.
    pub(crate) fn call_count(&self) -> usize {
        self.vercel.calls().len()
    }
}

/// A ledger in a folder of its own, with the vendor's listener.
pub(crate) struct Store {
    pub(crate) ledger: Ledger,
    pub(crate) listener: DurableListener<Lanterns>,
    folder: PathBuf,
}

impl Store {
    pub(crate) async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("maitre-vercel-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let url = format!("sqlite://{}", folder.join("maitre.db").display());
        Ledger::migrate(&url).await.expect("a schema");
        let ledger = Ledger::builder(&url).backoff(Duration::from_millis(5), Duration::from_millis(20));
        let ledger = ledger.open().await.expect("a ledger");
        Self { listener: ledger.wrap(Lanterns::default()), ledger, folder }
    }

    /// Records an installation with its access token, as the router does.
    pub(crate) async fn open(&self, installation: &Installation) -> AccountId {
        let mut request = OpenAccount::new(addon(), installation.id());
        request.credentials = Some(installation.access_token().into());
        self.listener.open_account(request).await.expect("an open account").id
    }

    pub(crate) async fn close(self) {
        self.ledger.close().await;
        std::fs::remove_dir_all(self.folder).expect("the folder can be removed");
    }

    /// Runs a worker until the condition is true.
    pub(crate) async fn work_until(&self, platform: &Platform, is_done: impl AsyncFn() -> bool) {
        let listener = self.listener.clone().with_platform(platform.clone());
        let worker = self.ledger.worker([Addon::new(Lantern, listener)]).poll_interval(Duration::from_millis(5));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(worker.run(async { drop(stopped.await) }));
        while !is_done().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(stop);
        running.await.expect("no panic");
    }
}

pub(crate) fn addon() -> AddonId {
    AddonId::new("vercel", "oac_lantern")
}

pub(crate) struct Lantern;

impl Marketplace for Lantern {
    fn name(&self) -> Cow<'static, str> {
        "vercel".into()
    }

    fn slug(&self) -> &'static str {
        "oac_lantern"
    }
}

impl SupportsAsync for Lantern {}

/// The vendor: every resource has an id of its own, and every rotation another secret.
#[derive(Clone, Default)]
pub(crate) struct Lanterns {
    rotations: std::sync::Arc<Mutex<u32>>,
}

impl Listener for Lanterns {
    async fn provision(&self, request: Provision) -> Result<Provisioned> {
        let id = format!("ltn_{}", request.resource);
        Ok(Provisioned::new(id).with_config("LANTERN_URL", "https://u4:first@eu1.lantern.example"))
    }

    async fn plan_change(&self, _: PlanChange) -> Result<PlanChanged> {
        Ok(PlanChanged::new())
    }

    async fn deprovision(&self, _: Deprovision) -> Result<Deprovisioned> {
        Ok(Deprovisioned::new())
    }

    async fn single_sign_on(&self, _: SignOn) -> Result<SignedOn> {
        Ok(SignedOn::redirect("/"))
    }

    fn capabilities(&self) -> maitre_core::Capabilities {
        maitre_core::Capabilities::from([maitre_core::Capability::Rotate])
    }

    async fn rotate(&self, _: Rotate) -> Result<Rotated> {
        tokio::time::sleep(Duration::from_millis(50)).await; // longer than the marketplace waits
        let mut rotations = self.rotations.lock().expect("no panic");
        *rotations += 1;
        Ok(Rotated::new().with_config("LANTERN_URL", format!("https://u4:new{rotations}@eu1.lantern.example")))
    }
}

/// Returns `short`, or `long` when `MAITRE_LONG` is set.
pub(crate) fn runs(short: usize, long: usize) -> usize {
    if std::env::var_os("MAITRE_LONG").is_some() { long } else { short }
}
