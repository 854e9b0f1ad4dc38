//! cloudControl.

use maitre::{Addon, CloudControl, FromManifest};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let cloudcontrol = CloudControl::from_manifest(&all.settings.cloudcontrol)?;
    let addon = Addon::new(cloudcontrol, all.listener());
    all.watch("CLOUDCONTROL_MANIFEST", addon.clone());
    all.add("/cloudcontrol", addon, maitre::cloudcontrol);
    Ok(())
}
