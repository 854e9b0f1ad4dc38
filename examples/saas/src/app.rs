//! The whole app: three marketplaces, the product, and the session layer around them.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use maitre::ledger::Worker;
use maitre::{Addon, CloudControl, ExposeSecret, FromManifest, Heroku, Ledger, Opperator};
use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::listener::Tally;
use crate::settings::Settings;
use crate::store::Store;
use crate::{counters, dashboard};

pub(crate) struct App {
    pub(crate) router: Router,
    /// Goes on with what a process left that died, and tries again what failed.
    pub(crate) worker: Worker,
}

pub(crate) fn build(settings: &Settings, store: &Store, ledger: &Ledger, origin: &str) -> anyhow::Result<App> {
    let tally = Arc::new(Tally { store: store.clone(), counters_url: format!("{origin}/counters") });

    // older checkers (kensa) know nothing but the v1 token
    let heroku = Heroku::from_manifest(&settings.heroku)?.legacy_token(true);
    let heroku = Addon::new(heroku, ledger.keep(tally.clone()));
    let cloudcontrol = CloudControl::from_manifest(&settings.cloudcontrol)?;
    let cloudcontrol = Addon::new(cloudcontrol, ledger.keep(tally.clone()));
    let opperator = Opperator::new("tally", settings.opperator_secret.expose_secret(), |features| {
        let counters = features.get("counters").and_then(serde_json::Value::as_i64).unwrap_or(1);
        Some(if counters > 10 { "premium" } else { "basic" }.to_owned())
    })
    .context("OPPERATOR_SECRET cannot be used")?;
    let opperator = Addon::new(opperator, ledger.keep(tally));

    // Lax: single sign-on is a cross-site post, and a Strict cookie would not survive the redirect
    let sessions = SessionManagerLayer::new(ledger.sessions())
        .with_name("tally")
        .with_same_site(SameSite::Lax)
        .with_secure(settings.is_public())
        .with_expiry(Expiry::OnInactivity(Duration::minutes(90)));

    let worker = ledger.worker([heroku.clone()]).and([cloudcontrol.clone()]).and([opperator.clone()]);
    let router = Router::new()
        .nest("/heroku", maitre::heroku(heroku))
        .nest("/cloudcontrol", maitre::cloudcontrol(cloudcontrol))
        .nest("/opperator", maitre::opperator(opperator))
        .merge(counters::routes(store.clone()))
        .merge(dashboard::routes(store.clone()))
        .layer(sessions);
    Ok(App { router, worker })
}
