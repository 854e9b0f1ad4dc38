//! The app: routers of the marketplaces, the product, and the session layer around them.

use axum::Router;
use maitre::ledger::Worker;
use maitre::{Ledger, SecretFiles};
use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::error_response::not_found;
use crate::listener::Tally;
use crate::marketplaces::Connections;
use crate::settings::Settings;
use crate::store::Store;
use crate::{counters, dashboard, marketplaces};

pub(crate) struct App {
    pub(crate) router: Router,
    /// Recovers operations of dead processes and retries failed ones.
    pub(crate) worker: Worker,
    /// Files whose secrets are reloaded when they change.
    pub(crate) secret_files: SecretFiles,
}

pub(crate) fn build(settings: &Settings, store: &Store, ledger: &Ledger, origin: &str) -> anyhow::Result<App> {
    let counters_url = format!("{origin}/counters");
    let tally = Tally { store: store.clone(), counters_url, provision_delay: settings.provision_delay };
    let Connections { router, worker, secret_files, .. } = marketplaces::connect(settings, ledger, tally, origin)?;

    // browsers accept a cookie named __Host- only over https, from this host and for all of its paths
    // Lax, as browsers do not send a Strict cookie after the cross-site POST of single sign-on
    let sessions = SessionManagerLayer::new(ledger.sessions())
        .with_name(if settings.is_public() { "__Host-tally" } else { "tally" })
        .with_same_site(SameSite::Lax)
        .with_secure(settings.is_public())
        .with_expiry(Expiry::OnInactivity(Duration::minutes(90)));

    let sandbox = settings.heroku_api.as_ref().and_then(|api| api.url.clone());
    let urls = dashboard::Urls { counters: format!("{origin}/counters"), heroku: sandbox };
    let router = router
        .merge(maitre::health(ledger))
        .merge(counters::routes(store.clone()))
        .merge(dashboard::routes(store.clone(), urls))
        .fallback(not_found)
        .layer(sessions);
    Ok(App { router, worker, secret_files })
}
