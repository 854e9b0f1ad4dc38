//! Vercel, if the integration's id is set.

use std::sync::Arc;

use anyhow::Context;
use maitre::platforms::vercel::{Client, Platform, connect as vercel_api};
use maitre::{Addon, Failure, Vercel, VercelCommand, VercelOutput, WithHooks};

use super::connections::{ASYNC_AFTER, Connections, api};
use super::vercel_billing::Billing;
use crate::plan::Plan;
use crate::settings::VercelIntegration;
use crate::store::Store;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let Some(settings) = &all.settings.vercel else { return Ok(()) };
    let client = client(settings)?;
    all.watch("VERCEL_CLIENT_SECRET", client.clone());
    let platform = Platform::builder(client, all.ledger.store()).build();
    let vercel = optional_routes(marketplace(settings, all)?, all, &platform);

    let catalog = Arc::new(all.settings.osb.catalog.clone());
    let billing = Billing { platform: platform.clone(), ledger: all.ledger.clone(), store: all.store(), catalog };
    tokio::spawn(billing.clone().run());
    let listener = all.ledger.wrap(WithHooks::new(all.tally(), billing)).with_platform(platform);
    let addon = Addon::new(vercel, listener).with_async_after(ASYNC_AFTER);
    all.watch("VERCEL_CLIENT_SECRET", addon.clone());
    all.add("/vercel", addon, maitre::vercel);
    Ok(())
}

fn marketplace(settings: &VercelIntegration, all: &Connections<'_>) -> anyhow::Result<Vercel> {
    let catalog = all.settings.osb.catalog.clone();
    let mut vercel = Vercel::new(&settings.integration, settings.client_secret.clone(), catalog)
        .context("VERCEL_INTEGRATION_ID or VERCEL_CLIENT_SECRET is invalid")?;
    if let Some(issuer) = &settings.issuer {
        vercel = vercel.with_issuer(issuer).context("VERCEL_ISSUER is invalid")?;
    }
    if let Some(url) = &settings.jwks_url {
        vercel = vercel.with_jwks_url(url).context("VERCEL_JWKS_URL is invalid")?;
    }
    if let Some(api) = &settings.api {
        vercel = vercel.with_api(api).context("VERCEL_API is invalid")?;
    }
    Ok(vercel)
}

/// Connects to Vercel's API.
fn client(settings: &VercelIntegration) -> anyhow::Result<Client> {
    let http = match &settings.api {
        Some(url) => api(vercel_api(), url, "VERCEL_API")?,
        None => vercel_api().user_agent(concat!("tally/", env!("CARGO_PKG_VERSION"))).build()?,
    };
    Client::new(&settings.integration, settings.client_secret.clone(), http).context("VERCEL_CLIENT_SECRET is invalid")
}

/// Offers the console, purchases of credits, and transfers between teams.
fn optional_routes(vercel: Vercel, all: &Connections<'_>, platform: &Platform) -> Vercel {
    let (store, platform) = (all.store(), platform.clone());
    vercel
        .with_transfers(all.ledger.store())
        .with_purchases(move |purchase| {
            let platform = platform.clone();
            async move { platform.credit(&purchase.account, &purchase.invoice).await }
        })
        .with_console(move |command| {
            let store = store.clone();
            async move { run(&store, &command).await }
        })
}

/// Runs a command of the console: `list`, or `count` and the name of a counter.
async fn run(store: &Store, command: &VercelCommand) -> maitre::Result<VercelOutput> {
    let resource = store.find(&command.addon.to_string(), command.resource.as_str()).await?;
    let resource = resource.ok_or_else(Failure::unknown)?;
    let (name, argument) = command.input.trim().split_once(' ').unwrap_or((command.input.trim(), ""));
    Ok(match (name, argument.trim()) {
        ("list", "") => {
            let counters = store.counters(&resource).await?;
            let rows = counters.into_iter().map(|counter| [counter.name, counter.value.to_string()]);
            VercelOutput::new().with_table(["counter", "value"], rows)
        }
        ("count", _) if command.read_only => VercelOutput::error("This console is read-only."),
        ("count", counter) if !counter.is_empty() => {
            let max_counters = Plan::parse(&resource.plan)?.max_counters();
            match store.increment(&resource, counter, max_counters).await? {
                Some(counter) => VercelOutput::new().with_paragraph([format!("{}: {}", counter.name, counter.value)]),
                None => VercelOutput::error("Your plan does not include more counters."),
            }
        }
        _ => VercelOutput::error("Unknown command: try list, or count and a name."),
    })
}
