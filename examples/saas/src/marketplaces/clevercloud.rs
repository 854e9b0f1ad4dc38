//! Clever Cloud.

use maitre::{Addon, CleverCloud, FromManifest};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let clevercloud = CleverCloud::from_manifest(&all.settings.clevercloud)?;
    all.add("/clevercloud", Addon::new(clevercloud, all.listener()), maitre::clevercloud);
    Ok(())
}
