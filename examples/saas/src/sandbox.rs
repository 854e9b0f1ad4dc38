//! Local marketplace in the same process.

use std::env;
use std::net::Ipv4Addr;

use anyhow::{Context, bail};
use maitre_sandbox::{Sandbox, Serving, bind};

use crate::settings::{HerokuApi, Settings, heroku_manifest};

const CLIENT_SECRET: &str = "development-only-client-secret";

/// Starts the marketplace on `SANDBOX_PORT` for the add-on at `origin`. Returns settings that use it as Heroku. `HEROKU_CLIENT_SECRET` is the client secret of the add-on there. The port
/// defaults to 8400; a taken port is replaced by the next free one.
pub(crate) async fn open(mut settings: Settings, origin: &str) -> anyhow::Result<(Serving, Settings)> {
    if settings.is_public() {
        bail!(
            "the feature `sandbox` is for loopback addresses only, because its marketplace knows the add-on's secrets: \
             build without the feature"
        );
    }
    let client_secret = settings.heroku_api.map_or_else(|| CLIENT_SECRET.into(), |api| api.client_secret);
    let builder = Sandbox::builder(&heroku_manifest()?)?
        .url(origin)
        .plans(["basic", "premium=900"])?
        .client_secret(client_secret.expose());
    let sandbox = builder.open()?;
    let port = env::var("SANDBOX_PORT").unwrap_or_else(|_| "8400".to_owned());
    let port = port.parse().with_context(|| format!("SANDBOX_PORT must be a number from 0 to 65535, not {port:?}"))?;
    let socket = bind(Ipv4Addr::LOCALHOST.into(), port)
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{port}: choose another SANDBOX_PORT"))?;
    let serving = sandbox.serve(socket)?;
    let url = Some(serving.api_url().to_owned());
    settings.heroku_api = Some(HerokuApi { client_secret, url });
    Ok((serving, settings))
}
