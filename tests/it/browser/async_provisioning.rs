//! Asynchronous add-on: 202 and the steps until completion.

use std::time::Duration;

use axum::Router;
use maitre::platform::Client;
use maitre::{Addon, Heroku, Platform};
use maitre_sandbox::Sandbox;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Browser, RunningSandbox};
use crate::ledger::support::{Database, Vendor};
use crate::support::{PASSWORD, SALT, SLUG, Server};

const CLIENT_SECRET: &str = "client s3cr3t";

/// Add-on with a ledger, a worker and an API client for notifications, and its sandbox.
struct SlowAddon {
    sandbox: RunningSandbox,
    _server: Server,
    worker: JoinHandle<()>,
    _database: Database,
}

impl SlowAddon {
    /// Starts an add-on whose operations take this long.
    async fn start(work: Duration) -> Self {
        let database = Database::sqlite();
        database.migrated().await;
        let mut vendor = Vendor::new(database.pool().await).await;
        vendor.work = work;
        // add-on and sandbox need each other's address
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let api = format!("http://{}", socket.local_addr().expect("a local address"));
        let client = Client::builder(CLIENT_SECRET).base_url(&api).user_agent("lantern/2.1").no_proxy();
        let client = client.backoff(Duration::from_millis(10), Duration::from_millis(100)).build().expect("a client");

        let ledger = database.options().open().await.expect("a ledger");
        let platform = Platform::builder(SLUG, client, ledger.store()).build();
        let listener = ledger.wrap(vendor).with_platform(platform);
        let addon = Addon::new(Heroku::new(SLUG, PASSWORD, SALT).expect("credentials"), listener);
        let addon = addon.with_async_after(Duration::from_millis(500));
        let server = Server::start(Router::new().nest("/heroku", maitre::heroku(addon.clone()))).await;
        let worker = ledger.worker([addon]).poll_interval(Duration::from_millis(20));
        let worker = tokio::spawn(worker.run(std::future::pending()));

        let place =
            json!({ "base_url": server.url("/heroku/resources"), "sso_url": server.url("/heroku/resources/sso") });
        let manifest = json!({ "id": SLUG, "name": "Lantern", "api": {
            "version": "3", "password": PASSWORD, "sso_salt": SALT, "config_vars_prefix": "WIDGET", "regions": ["us"],
            "config_vars": ["WIDGET_URL", "A_FIRST"], "requires": ["many_per_app"], "test": place, "production": place
        } });
        let setup =
            Sandbox::builder(&manifest.to_string()).unwrap().plans(["basic"]).unwrap().client_secret(CLIENT_SECRET);
        Self { sandbox: RunningSandbox::start_on(socket, setup), _server: server, worker, _database: database }
    }
}

impl Drop for SlowAddon {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

/// Returns the titles in the timeline, oldest first.
async fn timeline(browser: &Browser) -> Vec<String> {
    let mut lines = browser.texts("#lines .what strong").await;
    lines.reverse();
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_install_shows_every_step() {
    let (slow, browser) = tokio::join!(SlowAddon::start(Duration::from_secs(5)), Browser::start());
    browser.open(&slow.sandbox.url("/")).await;
    browser.click("#install-form button[type=submit]").await;

    browser.sees(".install .pill", "provisioning").await;
    browser.sees(".install .wait", "Answered 202. Heroku deprovisions it at").await;
    browser.sees("#lines", "Token").await; // the exchange does not wait for the provision
    let install = slow.sandbox.platform().installs()[0].clone();
    assert!(install.config().is_empty());

    browser.sees(".install .pill", "provisioned").await;
    browser.counts(".install .wait", 0).await;
    browser.sees(".install .config", "WIDGET_URL").await;
    browser.sees("#lines", "Marked provisioned").await;
    let name = install.name();
    let is_logged = format!("return document.querySelector('#lines').innerText.includes('{name} is provisioned')");
    browser.until("the last step is shown", &is_logged).await;
    let timeline = timeline(&browser).await;
    let mut steps = timeline.iter();
    for step in ["Provision basic", "Token", "Config vars", "Marked provisioned", &format!("{name} is provisioned")] {
        assert!(steps.any(|title| title == step), "{step} is missing or out of order: {timeline:#?}");
    }
    browser.counts("#lines .line.bad", 0).await;
    let answers = browser.texts("#lines .pill:not(.none)").await;
    assert!(answers.iter().all(|status| status.starts_with('2')), "{answers:?}");
    assert!(slow.sandbox.platform().violations().is_empty());
    browser.assert_no_errors().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unfinished_install_is_removed_after_twelve_hours() {
    let (slow, browser) = tokio::join!(SlowAddon::start(Duration::from_hours(1)), Browser::start());
    browser.open(&slow.sandbox.url("/")).await;
    browser.click("#install-form button[type=submit]").await;
    browser.sees(".install .wait", "Answered 202").await;

    browser.click("#clock button[value='60']").await;
    browser.sees("#clock .ahead", "1 h ahead").await;
    browser.sees(".install .pill", "provisioning").await;
    browser.click("#clock button[value='720']").await;
    browser.sees("#clock .ahead", "13 h ahead").await;
    browser.counts(".install", 0).await;
    browser.sees("#lines", " is deprovisioned").await;
    browser.click("#installs .title a").await;
    browser.sees(".install .pill", "deprovisioned").await;
    browser.assert_no_errors().await;
}
