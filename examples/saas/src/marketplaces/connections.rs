//! Connections of marketplaces with the product and its ledger.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use maitre::ledger::{DurableListener, Worker};
use maitre::{Addon, Heroku, Ledger, Marketplace};

use crate::listener::Tally;
use crate::settings::Settings;

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
}

impl<'a> Connections<'a> {
    pub(super) fn new(settings: &'a Settings, ledger: &'a Ledger, tally: Tally, origin: &'a str) -> Self {
        let worker = ledger.worker::<Heroku>([]);
        Self { settings, ledger, origin, tally: Arc::new(tally), router: Router::new(), worker }
    }

    /// Returns the product behind the ledger.
    pub(super) fn listener(&self) -> DurableListener<Arc<Tally>> {
        self.ledger.wrap(self.tally.clone())
    }

    /// Adds an add-on, whose router is nested at `path`.
    pub(super) fn add<M: Marketplace>(&mut self, path: &str, addon: Addon<M>, router: fn(Addon<M>) -> Router) {
        let no_worker = self.ledger.worker::<Heroku>([]);
        self.worker = std::mem::replace(&mut self.worker, no_worker).add([addon.clone()]);
        self.router = std::mem::take(&mut self.router).nest(path, router(addon));
    }
}
