//! Heroku.

use anyhow::Context;
use maitre::platform::Client;
use maitre::{Addon, FromManifest, Heroku, Platform};

use super::connections::{ASYNC_AFTER, Connections};

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    // older checkers (kensa) only send the v1 token
    let heroku = Heroku::from_manifest(&all.settings.heroku)?.with_legacy_token(true);
    let addon = match platform(all)? {
        None => Addon::new(heroku, all.listener()),
        Some(platform) => Addon::new(heroku, all.listener().with_platform(platform)).with_async_after(ASYNC_AFTER),
    };
    all.watch("ADDON_MANIFEST", addon.clone());
    all.add("/heroku", addon, maitre::heroku);
    Ok(())
}

/// Returns the connection to Heroku's API, which exchanges grants and reports completed operations.
fn platform(all: &mut Connections<'_>) -> anyhow::Result<Option<Platform>> {
    let Some(api) = &all.settings.heroku_api else { return Ok(None) };
    let client = Client::builder(api.client_secret.clone()).user_agent(concat!("tally/", env!("CARGO_PKG_VERSION")));
    let client = match &api.url {
        None => client,
        Some(url) => client.base_url(url).no_proxy(),
    };
    let client = client.build().context("HEROKU_CLIENT_SECRET or HEROKU_API is invalid")?;
    all.watch("HEROKU_CLIENT_SECRET", client.clone());
    Ok(Some(Platform::builder(&all.settings.heroku.id, client, all.ledger.store()).build()))
}
