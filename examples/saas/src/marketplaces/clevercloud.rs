//! Clever Cloud.

use maitre::{Addon, CleverCloud, FromManifest};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let clevercloud = CleverCloud::from_manifest(&all.settings.clevercloud)?;
    let addon = Addon::new(clevercloud, all.listener());
    all.watch("CLEVERCLOUD_MANIFEST", addon.clone());
    all.add("/clevercloud", addon, maitre::clevercloud);
    Ok(())
}
