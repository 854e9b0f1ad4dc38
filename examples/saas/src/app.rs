//! The app: routers of three marketplaces, the product, and the session layer around them.

use std::sync::Arc;
use std::time::Duration as Span;

use anyhow::Context;
use axum::Router;
use maitre::ledger::Worker;
use maitre::platform::Client;
use maitre::{Addon, CloudControl, FromManifest, Heroku, Ledger, Opperator, Platform};
use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::error_response::not_found;
use crate::listener::Tally;
use crate::settings::{HerokuApi, Settings};
use crate::store::Store;
use crate::{counters, dashboard};

/// Time after which an operation is answered 202 and completed in the background.
const ASYNC_AFTER: Span = Span::from_secs(2);

pub(crate) struct App {
    pub(crate) router: Router,
    /// Recovers operations of dead processes and retries failed ones.
    pub(crate) worker: Worker,
}

pub(crate) fn build(settings: &Settings, store: &Store, ledger: &Ledger, origin: &str) -> anyhow::Result<App> {
    let counters_url = format!("{origin}/counters");
    let tally = Arc::new(Tally { store: store.clone(), counters_url, provision_delay: settings.provision_delay });

    // older checkers (kensa) only send the v1 token
    let heroku = Heroku::from_manifest(&settings.heroku)?.with_legacy_token(true);
    let listener = ledger.wrap(tally.clone());
    let heroku = match &settings.heroku_api {
        None => Addon::new(heroku, listener),
        Some(api) => Addon::new(heroku, listener.with_platform(platform(&settings.heroku.id, api, ledger)?))
            .with_async_after(ASYNC_AFTER),
    };
    let cloudcontrol = CloudControl::from_manifest(&settings.cloudcontrol)?;
    let cloudcontrol = Addon::new(cloudcontrol, ledger.wrap(tally.clone()));
    let opperator = Opperator::new("tally", settings.opperator_secret.expose(), |features| {
        let counters = features.get("counters").and_then(serde_json::Value::as_i64).unwrap_or(1);
        Some(if counters > 10 { "premium" } else { "basic" }.to_owned())
    })
    .context("OPPERATOR_SECRET is invalid")?;
    let opperator = Addon::new(opperator, ledger.wrap(tally));

    // browsers accept a cookie named __Host- only over https, from this host and for all of its paths
    // Lax, as browsers do not send a Strict cookie after the cross-site POST of single sign-on
    let sessions = SessionManagerLayer::new(ledger.sessions())
        .with_name(if settings.is_public() { "__Host-tally" } else { "tally" })
        .with_same_site(SameSite::Lax)
        .with_secure(settings.is_public())
        .with_expiry(Expiry::OnInactivity(Duration::minutes(90)));

    let worker = ledger.worker([heroku.clone()]).add([cloudcontrol.clone()]).add([opperator.clone()]);
    let router = Router::new()
        .nest("/heroku", maitre::heroku(heroku))
        .nest("/cloudcontrol", maitre::cloudcontrol(cloudcontrol))
        .nest("/opperator", maitre::opperator(opperator))
        .merge(maitre::health(ledger))
        .merge(counters::routes(store.clone()))
        .merge(dashboard::routes(store.clone()))
        .fallback(not_found)
        .layer(sessions);
    Ok(App { router, worker })
}

/// Returns the connection to Heroku's API, which exchanges grants and reports completed operations.
fn platform(slug: &str, api: &HerokuApi, ledger: &Ledger) -> anyhow::Result<Platform> {
    let client = Client::builder(api.client_secret.clone()).user_agent(concat!("tally/", env!("CARGO_PKG_VERSION")));
    let client = match &api.url {
        None => client,
        Some(url) => client.base_url(url).no_proxy(),
    };
    let client = client.build().context("HEROKU_CLIENT_SECRET or HEROKU_API is invalid")?;
    Ok(Platform::builder(slug, client, ledger.store()).build())
}
