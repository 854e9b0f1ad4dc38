//! Vercel, if the integration's id is set.

use anyhow::Context;
use maitre::{Addon, Vercel};

use super::connections::Connections;

pub(super) fn connect(all: &mut Connections<'_>) -> anyhow::Result<()> {
    let Some(settings) = &all.settings.vercel else { return Ok(()) };
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
    let addon = Addon::new(vercel, all.listener());
    all.watch("VERCEL_CLIENT_SECRET", addon.clone());
    all.add("/vercel", addon, maitre::vercel);
    Ok(())
}
