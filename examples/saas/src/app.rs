//! The whole app: three marketplaces, the product, and the session layer around them.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use maitre::{Addon, CloudControl, ExposeSecret, FromManifest, Heroku, InFlight, Opperator};
use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, MemoryStore, SessionManagerLayer};

use crate::listener::Tally;
use crate::settings::Settings;
use crate::store::Store;
use crate::{counters, dashboard};

pub(crate) struct App {
    pub(crate) router: Router,
    /// The listener calls to wait for at shutdown.
    pub(crate) in_flight: [InFlight; 3],
}

pub(crate) fn build(settings: &Settings, store: &Store, origin: &str) -> anyhow::Result<App> {
    let tally = Arc::new(Tally { store: store.clone(), counters_url: format!("{origin}/counters") });

    // older checkers (kensa) know nothing but the v1 token
    let heroku = Heroku::from_manifest(&settings.heroku)?.legacy_token(true);
    let heroku = Addon::new(heroku, tally.clone());
    let cloudcontrol = Addon::new(CloudControl::from_manifest(&settings.cloudcontrol)?, tally.clone());
    let opperator = Opperator::new("tally", settings.opperator_secret.expose_secret(), |features| {
        let counters = features.get("counters").and_then(serde_json::Value::as_i64).unwrap_or(1);
        Some(if counters > 10 { "premium" } else { "basic" }.to_owned())
    })
    .context("OPPERATOR_SECRET cannot be used")?;
    let opperator = Addon::new(opperator, tally);

    // Lax: single sign-on is a cross-site post, and a Strict cookie would not survive the redirect
    let sessions = SessionManagerLayer::new(MemoryStore::default())
        .with_name("tally")
        .with_same_site(SameSite::Lax)
        .with_secure(settings.is_public())
        .with_expiry(Expiry::OnInactivity(Duration::minutes(90)));

    let in_flight = [heroku.in_flight().clone(), cloudcontrol.in_flight().clone(), opperator.in_flight().clone()];
    let router = Router::new()
        .nest("/heroku", maitre::heroku(heroku))
        .nest("/cloudcontrol", maitre::cloudcontrol(cloudcontrol))
        .nest("/opperator", maitre::opperator(opperator))
        .merge(counters::routes(store.clone()))
        .merge(dashboard::routes(store.clone()))
        .layer(sessions);
    Ok(App { router, in_flight })
}
