//! Connections of marketplaces with the product and its ledger.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use maitre::ledger::{DurableListener, Worker};
use maitre::platforms::scalingo::{JsonClient, JsonClientBuilder};
use maitre::{Addon, Heroku, Ledger, Marketplace, Reload, SecretFiles};

use crate::listener::Tally;
use crate::settings::Settings;
use crate::store::Store;

/// Time after which an operation is answered as accepted and completed in the background.
pub(super) const ASYNC_AFTER: Duration = Duration::from_secs(2);

/// The marketplaces so far: their routers, and the worker that recovers their operations.
pub(crate) struct Connections<'a> {
    pub(super) settings: &'a Settings,
    pub(super) ledger: &'a Ledger,
    pub(super) origin: &'a str,
    tally: Arc<Tally>,
    pub(crate) router: Router,
    pub(crate) worker: Worker,
    pub(crate) secret_files: SecretFiles,
}

impl<'a> Connections<'a> {
    pub(super) fn new(settings: &'a Settings, ledger: &'a Ledger, tally: Tally, origin: &'a str) -> Self {
        let worker = ledger.worker::<Heroku>([]);
        let (router, secret_files) = (Router::new(), SecretFiles::new());
        Self { settings, ledger, origin, tally: Arc::new(tally), router, worker, secret_files }
    }

    /// Returns the product behind the ledger.
    pub(super) fn listener(&self) -> DurableListener<Arc<Tally>> {
        self.ledger.wrap(self.tally.clone())
    }

    /// Returns the product.
    pub(super) fn tally(&self) -> Arc<Tally> {
        self.tally.clone()
    }

    /// Returns the product's database.
    pub(super) fn store(&self) -> Store {
        self.tally.store.clone()
    }

    /// Reloads the secrets of `target` when the file that the setting names changes.
    pub(super) fn watch(&mut self, setting: &str, target: impl Reload) {
        self.secret_files = self.settings.files.watch(std::mem::take(&mut self.secret_files), setting, target);
    }

    /// Adds an add-on, whose router is nested at `path`.
    pub(super) fn add<M: Marketplace>(&mut self, path: &str, addon: Addon<M>, router: fn(Addon<M>) -> Router) {
        let no_worker = self.ledger.worker::<Heroku>([]);
        self.worker = std::mem::replace(&mut self.worker, no_worker).add([addon.clone()]);
        self.router = std::mem::take(&mut self.router).nest(path, router(addon));
    }
}

/// Connects to a marketplace's API, whose URL is in this setting. Proxies are for other machines.
pub(super) fn api(http: JsonClientBuilder, url: &str, setting: &'static str) -> anyhow::Result<JsonClient> {
    let http = http.url(url).user_agent(concat!("tally/", env!("CARGO_PKG_VERSION")));
    let http = if url.starts_with("http:") { http.no_proxy() } else { http };
    http.build().with_context(|| format!("{setting} is invalid"))
}
