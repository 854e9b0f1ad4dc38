//! APIs of DigitalOcean, Clever Cloud and Scalingo, with a ledger. The other side is the test kit's, which records calls that
//! differ from the marketplace's documents.

mod clevercloud;
mod command;
mod digitalocean;
mod scalingo;

use std::time::Duration;

use axum::Router;
use maitre::platforms::scalingo::JsonClient;
use maitre::{Addon, Ledger, Marketplace};
use maitre_core::ConfigVars;
use tokio::task::JoinHandle;

use crate::ledger::support::{Database, Vendor, until};
use crate::support::Server;

/// Process of an add-on with a worker.
struct App<M: Marketplace> {
    ledger: Ledger,
    addon: Addon<M>,
    vendor: Vendor,
    server: Server,
    worker: JoinHandle<()>,
}

impl<M: Marketplace> App<M> {
    async fn start(
        database: &Database,
        addon: impl FnOnce(&Ledger, Vendor) -> Addon<M>,
        router: fn(Addon<M>) -> Router,
    ) -> Self {
        database.migrated().await;
        let vendor = Vendor::new(database.pool().await).await;
        let ledger = database.options().open().await.expect("a ledger");
        let addon = addon(&ledger, vendor.clone());
        let server = Server::start(Router::new().nest("/addon", router(addon.clone()))).await;
        let worker = ledger.worker([addon.clone()]).poll_interval(Duration::from_millis(5));
        let worker = tokio::spawn(worker.run(std::future::pending()));
        Self { ledger, addon, vendor, server, worker }
    }

    fn root(&self) -> String {
        self.server.url("/addon")
    }

    async fn wait_until_idle(&self) {
        until("all operations and jobs are finished", || async {
            let stats = self.ledger.stats().await.unwrap();
            (stats.open_operations, stats.open_jobs) == (0, 0)
        })
        .await;
    }
}

impl<M: Marketplace> Drop for App<M> {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

/// Returns a connection that does not wait long before it repeats a call.
fn http(url: &str) -> JsonClient {
    let http = JsonClient::builder("test", url).no_proxy().timeout(Duration::from_secs(5));
    http.backoff(Duration::from_millis(1), Duration::from_millis(5)).build().expect("a client")
}

fn config(value: &str) -> ConfigVars {
    [("WIDGET_URL", value)].into_iter().collect()
}
