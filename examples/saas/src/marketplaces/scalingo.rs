//! Scalingo.

use anyhow::Context;
use maitre::platforms::scalingo::{Client, Platform, region};
use maitre::{Addon, Scalingo};

use super::connections::{ASYNC_AFTER, Connections, api};

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let manifest = all.settings.scalingo.expose();
    let scalingo: Scalingo = serde_json::from_str(manifest).context("SCALINGO_MANIFEST is invalid")?;
    let addon = match &all.settings.apis.scalingo {
        None => Addon::new(scalingo, all.listener()),
        Some(url) => {
            let client = Client::from_manifest(manifest, api(region("osc-fr1"), url, "SCALINGO_API")?)?;
            all.watch("SCALINGO_MANIFEST", client.clone());
            let platform = Platform::new(client, all.ledger.store());
            Addon::new(scalingo, all.listener().with_platform(platform)).with_async_after(ASYNC_AFTER)
        }
    };
    all.watch("SCALINGO_MANIFEST", addon.clone());
    all.add("/scalingo", addon, maitre::scalingo);
    Ok(())
}
