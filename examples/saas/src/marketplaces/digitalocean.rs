//! DigitalOcean.

use anyhow::Context;
use maitre::platforms::digitalocean::{self, Client, Platform};
use maitre::{Addon, DigitalOcean, Marketplace};

use super::connections::{Connections, api};

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let settings = all.settings.digitalocean.expose();
    let marketplace: DigitalOcean = serde_json::from_str(settings).context("DIGITALOCEAN_MANIFEST is invalid")?;
    let mut listener = all.listener();
    if let Some(url) = &all.settings.apis.digitalocean {
        let secret = marketplace.client_secret().context("DIGITALOCEAN_MANIFEST has no client_secret")?;
        let client = Client::new(secret.clone(), api(digitalocean::connect(), url, "DIGITALOCEAN_API")?)?;
        all.watch("DIGITALOCEAN_MANIFEST", client.clone());
        listener = listener.with_platform(Platform::new(marketplace.slug(), client, all.ledger.store()));
    }
    let addon = Addon::new(marketplace, listener);
    all.watch("DIGITALOCEAN_MANIFEST", addon.clone());
    all.add("/digitalocean", addon, maitre::digitalocean);
    Ok(())
}
