//! DigitalOcean.

use anyhow::Context;
use maitre::{Addon, DigitalOcean};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let settings = all.settings.digitalocean.expose();
    let digitalocean: DigitalOcean = serde_json::from_str(settings).context("DIGITALOCEAN_MANIFEST is invalid")?;
    all.add("/digitalocean", Addon::new(digitalocean, all.listener()), maitre::digitalocean);
    Ok(())
}
