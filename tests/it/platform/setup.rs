//! The test kit's Heroku, a vendor, and one or more processes of the add-on.

use std::time::Duration;

use axum::Router;
use maitre::platform::{Client, WebhookSecret};
use maitre::{Addon, Heroku, Platform, heroku_webhooks, platform::PlatformBuilder};
use maitre_core::{Listener, ResourceId};
use maitre_ledger::{Ledger, LedgerBuilder, Worker};
use maitre_testkit::platform::{Install, PlatformServer, State};
use maitre_testkit::{self as testkit, Reply};
use time::OffsetDateTime;
use tokio::task::JoinHandle;

use crate::ledger::support::{Database, Vendor, until};
use crate::support::{PASSWORD, SALT, SLUG, Server};

const CLIENT_SECRET: &str = "client s3cr3t";
pub(crate) const WEBHOOK_SECRET: &str = "lantern-webhook-secret";
/// Path of the router that answers 202 only to what takes longer than any test.
const PATIENT: &str = "/heroku";
/// Path of the router that answers 202 to everything that waits at a gate.
const ACCEPTING: &str = "/accepting";

pub(crate) struct Fixture {
    pub(crate) heroku: testkit::platform::Platform,
    pub(crate) api: PlatformServer,
    pub(crate) vendor: Vendor,
    pub(crate) database: Database,
}

impl Fixture {
    pub(crate) async fn new(database: Database) -> Self {
        let heroku = testkit::platform::Platform::builder(SLUG, PASSWORD, CLIENT_SECRET)
            .settings(|settings| {
                settings.config_vars = Some(vec!["WIDGET_URL".to_owned(), "A_FIRST".to_owned()]);
            })
            .build();
        let api = heroku.serve().await.expect("a port");
        database.migrated().await;
        let vendor = Vendor::new(database.pool().await).await;
        Self { heroku, api, vendor, database }
    }

    pub(crate) fn options(&self) -> LedgerBuilder {
        self.database.options()
    }

    /// Returns a client that uses Heroku's clock.
    pub(crate) fn api_client(&self) -> Client {
        let clock = self.heroku.clock().clone();
        api_client(self.api.url(), move || clock.now())
    }

    /// Starts an add-on process with a worker.
    pub(crate) async fn start_app(&self) -> App {
        self.start_app_with(self.options(), |platform| platform).await
    }

    pub(crate) async fn start_app_with(
        &self,
        options: LedgerBuilder,
        change: impl FnOnce(PlatformBuilder) -> PlatformBuilder,
    ) -> App {
        let mut app = self.start_app_without_worker(options, change).await;
        app.worker = Some(app.start_worker());
        app
    }

    /// Starts an add-on process without a worker.
    pub(crate) async fn start_app_without_worker(
        &self,
        options: LedgerBuilder,
        change: impl FnOnce(PlatformBuilder) -> PlatformBuilder,
    ) -> App {
        App::open(options, self.api_client(), self.vendor.clone(), change).await
    }

    /// Installs the add-on and returns the reply to the provision.
    pub(crate) async fn install(&self, app: &App) -> (Install, Reply) {
        let install = self.heroku.install("basic");
        let reply = app.client.provision("basic").install(&install).send().await;
        install.record_provision(&reply);
        (install, reply)
    }

    /// Installs the add-on and waits until it is provisioned and its grant exchanged.
    pub(crate) async fn installed(&self, app: &App) -> Install {
        let (install, reply) = self.install(app).await;
        reply.expect(200);
        until("the grant is exchanged", || async { install.call_counts().exchanges == 1 }).await;
        app.wait_for_jobs().await;
        install
    }

    /// Asserts that no rule of Heroku was violated.
    pub(crate) fn assert_no_violations(&self) {
        assert!(self.heroku.violations().is_empty(), "{:#?}", self.heroku.violations());
    }
}

/// Returns a client for the test kit's Heroku, as a vendor would build it.
pub(crate) fn api_client(url: &str, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Client {
    let client = Client::builder(CLIENT_SECRET).base_url(url).user_agent("lantern/2.1").no_proxy();
    let client = client.backoff(Duration::from_millis(1), Duration::from_millis(5)).timeout(Duration::from_secs(5));
    client.clock(clock).build().expect("a client")
}

/// Returns the patient and the accepting client of an add-on process.
pub(crate) fn clients(origin: &str) -> [testkit::Heroku; 2] {
    [PATIENT, ACCEPTING].map(|path| testkit::Heroku::new(&format!("{origin}{path}"), SLUG, PASSWORD, SALT))
}

/// Process of the add-on.
pub(crate) struct App {
    pub(crate) ledger: Ledger,
    pub(crate) platform: Platform,
    pub(crate) addon: Addon<Heroku>,
    pub(crate) server: Server,
    /// Client that sends Heroku's requests, to a router that answers when they are done, however busy the machine is.
    pub(crate) client: testkit::Heroku,
    /// Client whose requests are answered 202 while their listener waits at a gate.
    pub(crate) accepting: testkit::Heroku,
    worker: Option<JoinHandle<()>>,
}

impl App {
    /// Starts a process without a worker.
    pub(crate) async fn open(
        options: LedgerBuilder,
        client: Client,
        listener: impl Listener,
        change: impl FnOnce(PlatformBuilder) -> PlatformBuilder,
    ) -> Self {
        let ledger = options.open().await.expect("a ledger");
        let platform = change(Platform::builder(SLUG, client, ledger.store())).build();
        let listener = ledger.wrap(listener).with_platform(platform.clone());
        let addon = Addon::new(Heroku::new(SLUG, PASSWORD, SALT).expect("credentials"), listener);
        let addon = addon.with_async_after(Duration::from_hours(1)).with_async_deprovision(true);
        let receiver = platform.webhook_receiver([WebhookSecret::new(WEBHOOK_SECRET).expect("a secret")]);
        let accepting = addon.clone().with_async_after(Duration::from_millis(50));
        let app = Router::new()
            .nest(PATIENT, maitre::heroku(addon.clone()))
            .nest(ACCEPTING, maitre::heroku(accepting))
            .nest("/heroku/webhooks", heroku_webhooks(receiver));
        let server = Server::start(app).await;
        let [client, accepting] = clients(&server.url(""));
        Self { ledger, platform, addon, server, client, accepting, worker: None }
    }

    pub(crate) fn worker(&self) -> Worker {
        self.ledger.worker([self.addon.clone()]).poll_interval(Duration::from_millis(5))
    }

    pub(crate) fn start_worker(&self) -> JoinHandle<()> {
        tokio::spawn(self.worker().run(std::future::pending()))
    }

    pub(crate) async fn wait_for_jobs(&self) {
        until("all jobs are done", || async { self.ledger.stats().await.unwrap().open_jobs == 0 }).await;
    }

    pub(crate) async fn wait_until_idle(&self) {
        until("all operations are finished", || async { self.ledger.stats().await.unwrap().open_operations == 0 })
            .await;
        self.wait_for_jobs().await;
    }

    /// Changes the plan, as a customer does.
    pub(crate) async fn change_plan(&self, client: &testkit::Heroku, install: &Install, plan: &str) -> Reply {
        let reply = client.plan_change(install.uuid(), plan).send().await;
        install.record_plan_change(plan, &reply);
        reply
    }

    /// Removes the add-on, as a customer does.
    pub(crate) async fn deprovision(&self, install: &Install) -> Reply {
        self.deprovision_by(&self.client, install).await
    }

    /// Removes the add-on by one of the clients.
    pub(crate) async fn deprovision_by(&self, client: &testkit::Heroku, install: &Install) -> Reply {
        let reply = client.deprovision(install.uuid()).send().await;
        install.record_deprovision(&reply);
        reply
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.abort();
        }
    }
}

pub(crate) fn id(install: &Install) -> ResourceId {
    ResourceId::from(install.uuid())
}

pub(crate) async fn wait_for_state(install: &Install, state: State) {
    until("Heroku's state changes", || async { install.state() == state }).await;
}
