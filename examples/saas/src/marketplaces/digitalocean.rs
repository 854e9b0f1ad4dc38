//! DigitalOcean.

use anyhow::Context;
use maitre::{Addon, DigitalOcean};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let settings = all.settings.digitalocean.expose();
    let digitalocean: DigitalOcean = serde_json::from_str(settings).context("DIGITALOCEAN_MANIFEST is invalid")?;
    let addon = Addon::new(digitalocean, all.listener());
    all.watch("DIGITALOCEAN_MANIFEST", addon.clone());
    all.add("/digitalocean", addon, maitre::digitalocean);
    Ok(())
}
