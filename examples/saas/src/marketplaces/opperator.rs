//! Opperator, which sends features in place of a plan.

use anyhow::Context;
use maitre::{Addon, Opperator};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let opperator = Opperator::new("tally", all.settings.opperator_secret.expose(), |features| {
        let counters = features.get("counters").and_then(serde_json::Value::as_i64).unwrap_or(1);
        Some(if counters > 10 { "premium" } else { "basic" }.to_owned())
    });
    let opperator = opperator.context("OPPERATOR_SECRET is invalid")?;
    let addon = Addon::new(opperator, all.listener());
    all.watch("OPPERATOR_SECRET", addon.clone());
    all.add("/opperator", addon, maitre::opperator);
    Ok(())
}
