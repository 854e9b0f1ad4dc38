//! The test kit's Heroku, a vendor, and one or more processes of the add-on.

use std::time::Duration;

use axum::Router;
use maitre::platform::{Client, WebhookSecret};
use maitre::{Addon, Heroku, Platform, heroku_webhooks, platform::PlatformBuilder};
use maitre_core::{Listener, ResourceId};
use maitre_ledger::{Ledger, LedgerBuilder, Worker};
use maitre_testkit::platform::{self as testkit, Install, PlatformServer, State};
use maitre_testkit::{self as market, Reply};
use time::OffsetDateTime;
use tokio::task::JoinHandle;

use crate::ledger::support::{Database, Vendor, until};
use crate::support::{PASSWORD, SALT, SLUG, Server};

const CLIENT_SECRET: &str = "client s3cr3t";
pub(super) const WEBHOOK_SECRET: &str = "lantern-webhook-secret";
/// Long enough for immediate work.
pub(super) const GIVE_WAY: Duration = Duration::from_millis(300);

pub(super) struct World {
    pub(super) heroku: testkit::Platform,
    pub(super) api: PlatformServer,
    pub(super) vendor: Vendor,
    pub(super) database: Database,
}

impl World {
    pub(super) async fn new(database: Database) -> Self {
        let heroku = testkit::Platform::builder(SLUG, PASSWORD, CLIENT_SECRET)
            .settings(|settings| {
                settings.config_vars = Some(vec!["WIDGET_URL".to_owned(), "A_FIRST".to_owned()]);
            })
            .build();
        let api = heroku.serve().await.expect("a port");
        database.migrated().await;
        let vendor = Vendor::new(database.pool().await).await;
        Self { heroku, api, vendor, database }
    }

    pub(super) fn options(&self) -> LedgerBuilder {
        self.database.options()
    }

    /// Returns a client that uses Heroku's clock.
    pub(super) fn client(&self) -> Client {
        let clock = self.heroku.clock().clone();
        client(self.api.url(), move || clock.now())
    }

    /// Starts an add-on process with a worker.
    pub(super) async fn house(&self) -> House {
        self.house_with(self.options(), |platform| platform).await
    }

    pub(super) async fn house_with(
        &self,
        options: LedgerBuilder,
        change: impl FnOnce(PlatformBuilder) -> PlatformBuilder,
    ) -> House {
        let mut house = self.front(options, change).await;
        house.working = Some(house.start_working());
        house
    }

    /// Starts an add-on process without a worker.
    pub(super) async fn front(
        &self,
        options: LedgerBuilder,
        change: impl FnOnce(PlatformBuilder) -> PlatformBuilder,
    ) -> House {
        House::open(options, self.client(), self.vendor.clone(), change).await
    }

    /// Installs the add-on and returns the reply to the provision.
    pub(super) async fn order(&self, house: &House) -> (Install, Reply) {
        let install = self.heroku.install("basic");
        let reply = house.market.provision("basic").install(&install).send().await;
        install.record_provision(&reply);
        (install, reply)
    }

    /// Installs the add-on and waits until it is provisioned and its grant exchanged.
    pub(super) async fn ordered(&self, house: &House) -> Install {
        let (install, reply) = self.order(house).await;
        reply.expect(200);
        until("its grant is exchanged", || async { install.call_counts().exchanges == 1 }).await;
        house.errands_done().await;
        install
    }

    /// Asserts that no rule of Heroku was violated.
    pub(super) fn is_content(&self) {
        assert!(self.heroku.violations().is_empty(), "{:#?}", self.heroku.violations());
    }
}

/// Returns a client for the test kit's Heroku, as a vendor would build it.
pub(super) fn client(url: &str, clock: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Client {
    let client = Client::builder(CLIENT_SECRET).base_url(url).user_agent("lantern/2.1").no_proxy();
    let client = client.backoff(Duration::from_millis(1), Duration::from_millis(5)).timeout(Duration::from_secs(5));
    client.clock(clock).build().expect("a client")
}

/// Process of the add-on.
pub(super) struct House {
    pub(super) ledger: Ledger,
    pub(super) platform: Platform,
    pub(super) addon: Addon<Heroku>,
    pub(super) server: Server,
    /// Client that sends Heroku's requests.
    pub(super) market: market::Heroku,
    working: Option<JoinHandle<()>>,
}

impl House {
    /// Starts a process without a worker.
    pub(super) async fn open(
        options: LedgerBuilder,
        client: Client,
        listener: impl Listener,
        change: impl FnOnce(PlatformBuilder) -> PlatformBuilder,
    ) -> Self {
        let ledger = options.open().await.expect("a ledger");
        let platform = change(Platform::builder(SLUG, client, ledger.store())).build();
        let kept = ledger.wrap(listener).with_platform(platform.clone());
        let addon = Addon::new(Heroku::new(SLUG, PASSWORD, SALT).expect("credentials"), kept);
        let addon = addon.with_async_after(GIVE_WAY).with_async_deprovision(true);
        let receiver = platform.webhook_receiver([WebhookSecret::new(WEBHOOK_SECRET).expect("a secret")]);
        let app = Router::new().nest("/heroku", maitre::heroku(addon.clone()));
        let server = Server::start(app.nest("/heroku/webhooks", heroku_webhooks(receiver))).await;
        let market = market::Heroku::new(&server.url("/heroku"), SLUG, PASSWORD, SALT);
        Self { ledger, platform, addon, server, market, working: None }
    }

    pub(super) fn worker(&self) -> Worker {
        self.ledger.worker([self.addon.clone()]).poll_interval(Duration::from_millis(5))
    }

    pub(super) fn start_working(&self) -> JoinHandle<()> {
        tokio::spawn(self.worker().run(std::future::pending()))
    }

    pub(super) async fn errands_done(&self) {
        until("all errands are done", || async { self.ledger.stats().await.unwrap().open_jobs == 0 }).await;
    }

    pub(super) async fn all_done(&self) {
        until("all is done", || async { self.ledger.stats().await.unwrap().open_operations == 0 }).await;
        self.errands_done().await;
    }

    /// Changes the plan, as a customer does.
    pub(super) async fn change_plan(&self, install: &Install, plan: &str) -> Reply {
        let reply = self.market.plan_change(install.uuid(), plan).send().await;
        install.record_plan_change(plan, &reply);
        reply
    }

    /// Removes the add-on, as a customer does.
    pub(super) async fn remove(&self, install: &Install) -> Reply {
        let reply = self.market.deprovision(install.uuid()).send().await;
        install.record_deprovision(&reply);
        reply
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(working) = self.working.take() {
            working.abort();
        }
    }
}

pub(super) fn id(install: &Install) -> ResourceId {
    ResourceId::from(install.uuid())
}

pub(super) async fn becomes(install: &Install, state: State) {
    until("Heroku knows", || async { install.state() == state }).await;
}
