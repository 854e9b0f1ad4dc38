//! QuickNode.

use anyhow::Context;
use maitre::{Addon, QuickNode};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let settings = &all.settings.quicknode;
    let quicknode = QuickNode::new(&settings.username, settings.password.expose(), settings.jwt_secret.expose())
        .context("QUICKNODE_USERNAME, QUICKNODE_PASSWORD or QUICKNODE_JWT_SECRET is invalid")?
        .with_dashboard_url(format!("{}/quicknode/sso", all.origin))?
        .with_access_url_var("TALLY_URL");
    all.add("/quicknode", Addon::new(quicknode, all.listener()), maitre::quicknode);
    Ok(())
}
