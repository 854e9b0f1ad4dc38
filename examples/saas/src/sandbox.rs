//! A marketplace beside the product, to click on.

use std::env;

use anyhow::Context;
use maitre_sandbox::{Sandbox, Serving};
use tokio::net::TcpListener;

/// Opens it at `SANDBOX_PORT`, 7000 if nobody says, for the add-on at `origin`.
pub(crate) async fn open(origin: &str) -> anyhow::Result<Serving> {
    let manifest = env::var("ADDON_MANIFEST").unwrap_or_else(|_| "addon-manifest.json".to_owned());
    let manifest = std::fs::read_to_string(&manifest).with_context(|| format!("cannot read {manifest}"))?;
    let sandbox = Sandbox::of(&manifest)?.addon(origin).plans(["basic", "premium=900"])?.open()?;
    let port = env::var("SANDBOX_PORT").unwrap_or_else(|_| "7000".to_owned());
    let port = port.parse().with_context(|| format!("SANDBOX_PORT is {port:?}: write a number from 0 to 65535"))?;
    let socket = TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{port}: choose another SANDBOX_PORT"))?;
    let serving = sandbox.serve(socket)?;
    println!("Its marketplace is at {}\n", serving.url());
    Ok(serving)
}
