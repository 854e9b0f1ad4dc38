//! Platforms that call service brokers: Cloud Foundry, IBM Cloud, SAP BTP, Korifi.

use anyhow::Context;
use maitre::{Addon, Osb};

use super::connections::{ASYNC_AFTER, Connections};

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let settings = &all.settings.osb;
    let osb = Osb::new(&settings.username, settings.password.expose(), settings.catalog.clone())
        .context("OSB_USERNAME or OSB_PASSWORD is invalid")?
        .with_dashboard_url(format!("{}/dashboard", all.origin))
        .with_async_required(!all.settings.provision_delay.is_zero());
    let addon = Addon::new(osb, all.listener()).with_async_after(ASYNC_AFTER);
    all.watch("OSB_PASSWORD", addon.clone());
    all.add("/osb", addon, maitre::osb);
    Ok(())
}
