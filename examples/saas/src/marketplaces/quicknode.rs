//! QuickNode.

use anyhow::Context;
use maitre::{Addon, QuickNode};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let quicknode: QuickNode =
        serde_json::from_str(all.settings.quicknode.expose()).context("QUICKNODE_MANIFEST is invalid")?;
    let quicknode =
        quicknode.with_dashboard_url(format!("{}/quicknode/sso", all.origin))?.with_access_url_var("TALLY_URL");
    let addon = Addon::new(quicknode, all.listener());
    all.watch("QUICKNODE_MANIFEST", addon.clone());
    all.add("/quicknode", addon, maitre::quicknode);
    Ok(())
}
