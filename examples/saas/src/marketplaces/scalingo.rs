//! Scalingo.

use anyhow::Context;
use maitre::{Addon, Scalingo};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let manifest = all.settings.scalingo.expose();
    let scalingo: Scalingo = serde_json::from_str(manifest).context("SCALINGO_MANIFEST is invalid")?;
    let addon = Addon::new(scalingo, all.listener());
    all.watch("SCALINGO_MANIFEST", addon.clone());
    all.add("/scalingo", addon, maitre::scalingo);
    Ok(())
}
