//! cloudControl.

use maitre::{Addon, CloudControl, FromManifest};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let cloudcontrol = CloudControl::from_manifest(&all.settings.cloudcontrol)?;
    all.add("/cloudcontrol", Addon::new(cloudcontrol, all.listener()), maitre::cloudcontrol);
    Ok(())
}
