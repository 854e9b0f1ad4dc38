//! Local marketplace in the same process.

use std::env;
use std::net::Ipv4Addr;

use anyhow::Context;
use maitre_sandbox::{Sandbox, Serving, bind};

use crate::settings::{HerokuApi, Settings};

const CLIENT_SECRET: &str = "development-only-client-secret";

/// Starts the marketplace on `SANDBOX_PORT` for the add-on at `origin`. Returns settings that use it as Heroku. The port
/// defaults to 8400; a taken port is replaced by the next free one.
pub(crate) async fn open(mut settings: Settings, origin: &str) -> anyhow::Result<(Serving, Settings)> {
    let manifest = env::var("ADDON_MANIFEST").unwrap_or_else(|_| "addon-manifest.json".to_owned());
    let manifest = std::fs::read_to_string(&manifest).with_context(|| format!("cannot read {manifest}"))?;
    let builder =
        Sandbox::builder(&manifest)?.url(origin).plans(["basic", "premium=900"])?.client_secret(CLIENT_SECRET);
    let sandbox = builder.open()?;
    let port = env::var("SANDBOX_PORT").unwrap_or_else(|_| "8400".to_owned());
    let port = port.parse().with_context(|| format!("SANDBOX_PORT must be a number from 0 to 65535, not {port:?}"))?;
    let socket = bind(Ipv4Addr::LOCALHOST.into(), port)
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{port}: choose another SANDBOX_PORT"))?;
    let serving = sandbox.serve(socket)?;
    let url = Some(serving.api_url().to_owned());
    settings.heroku_api = Some(HerokuApi { client_secret: CLIENT_SECRET.into(), url });
    Ok((serving, settings))
}
