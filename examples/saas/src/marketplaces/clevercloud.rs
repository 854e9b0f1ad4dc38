//! Clever Cloud.

use maitre::platforms::clevercloud::{self, Client, Platform};
use maitre::{Addon, CleverCloud, FromManifest};

use super::connections::{Connections, api};

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let manifest = &all.settings.clevercloud;
    let (marketplace, mut listener) = (CleverCloud::from_manifest(manifest)?, all.listener());
    if let Some(url) = &all.settings.apis.clevercloud {
        let http = api(clevercloud::connect(), url, "CLEVERCLOUD_API")?;
        let client = Client::new(&manifest.id, manifest.password()?.clone(), http);
        all.watch("CLEVERCLOUD_MANIFEST", client.clone());
        listener = listener.with_platform(Platform::new(client, all.ledger.store()));
    }
    let addon = Addon::new(marketplace, listener);
    all.watch("CLEVERCLOUD_MANIFEST", addon.clone());
    all.add("/clevercloud", addon, maitre::clevercloud);
    Ok(())
}
