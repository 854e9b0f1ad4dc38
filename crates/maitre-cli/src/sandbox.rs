//! `maitre sandbox`

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use maitre_sandbox::{Chaos, Recording, Sandbox as Marketplace, SandboxBuilder, Serving};
use tokio::net::TcpListener;

use crate::answer::{Answer, Fault};
use crate::out::line;
use crate::paint::Paint;
use crate::stop::stopped;

/// Plays Heroku on your own machine: a page to order and click on, the API that add-ons call, faults and a clock to turn.
///
/// The add-on is called at --addon, or at the manifest's api.test. What it takes for api.heroku.com and
/// id.heroku.com is printed at the start, and so is what Heroku's own command takes.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre sandbox --addon http://127.0.0.1:5000 --plan basic --plan premium=900
  maitre sandbox --plan basic --file sandbox.db --port 7001
  maitre sandbox --plan basic --chaos 10% --seed 7
  maitre sandbox --plan basic --replay recording.json

Exit status: 0 it was stopped, or all that was replayed was answered as before; 1 something was answered otherwise; 2 it
could not start.")]
pub(crate) struct Sandbox {
    /// The add-on's manifest
    #[arg(long, value_name = "FILE", default_value = "addon-manifest.json", env = "MAITRE_MANIFEST")]
    manifest: PathBuf,

    /// Where the add-on runs, in place of the manifest's api.test: scheme, host and port, with or without its path
    #[arg(long, value_name = "BASE_URL", env = "MAITRE_URL")]
    addon: Option<String>,

    /// Where single sign-on is posted to, if not to the manifest's path at the same host
    #[arg(long, value_name = "URL")]
    sso_url: Option<String>,

    /// Call another machine than this one
    #[arg(long)]
    production: bool,

    /// A plan that is sold, with its price in cents a month if it has one; more than once for more than one
    #[arg(long = "plan", value_name = "NAME[=CENTS]", default_value = "test")]
    plans: Vec<String>,

    /// The port of the page and of the API
    #[arg(long, default_value_t = 7000)]
    port: u16,

    /// The address to listen on. The sandbox knows the add-on's secrets: think before it is another one than 127.0.0.1
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,

    /// Answer to this host name, too, as for an add-on in a container
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,

    /// Keep what happens in this SQLite file, so that a restart changes nothing
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Let this share of all calls go wrong
    #[arg(long, value_name = "PERCENT", default_value = "0%")]
    chaos: Chaos,

    /// What chaos is drawn from: the same number, the same faults
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// By what the add-on gets its tokens
    #[arg(
        long,
        value_name = "SECRET",
        env = "MAITRE_CLIENT_SECRET",
        hide_env_values = true,
        default_value = "development-only-client-secret",
        hide_default_value = true
    )]
    client_secret: String,

    /// The API key by which a customer is known, as the heroku command is given it
    #[arg(long, value_name = "KEY", default_value = "sandbox")]
    api_key: String,

    /// Send the add-on once more what Heroku sent it in this recording, compare the answers, and end
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

impl Sandbox {
    pub(crate) async fn run(self, paint: Paint) -> Result<Answer, Fault> {
        let shown = self.manifest.display();
        let manifest = std::fs::read_to_string(&self.manifest).with_context(|| {
            format!("cannot read {shown}: name another with --manifest, or write one with `maitre manifest new`")
        })?;
        let setup = Marketplace::builder(&manifest).with_context(|| format!("in {shown}"))?;
        let mut setup = setup.plans(self.plans.iter().map(String::as_str))?.allow_remote(self.production);
        if let Some(url) = &self.addon {
            setup = setup.url(url);
        }
        if let Some(url) = &self.sso_url {
            setup = setup.sso_url(url);
        }
        if let Some(file) = &self.file {
            setup = setup.state_file(file);
        }
        setup = self.allow_host.iter().fold(setup, SandboxBuilder::allow_host);
        setup = setup.chaos(self.chaos, self.seed).client_secret(&self.client_secret).api_key(&self.api_key);
        let sandbox = setup.open()?;
        match &self.replay {
            Some(file) => replay(&sandbox, file, paint).await,
            None => self.serve(&sandbox, paint).await,
        }
    }

    async fn serve(&self, sandbox: &Marketplace, paint: Paint) -> Result<Answer, Fault> {
        let (address, port) = (self.bind, self.port);
        let socket = TcpListener::bind((address, port))
            .await
            .with_context(|| format!("cannot listen on {address}:{port}: choose another --port"))?;
        let stopped = stopped().context("cannot wait for Ctrl-C")?; // before anybody is told that it is there
        let serving = sandbox.serve(socket)?;
        greet(&serving, &self.api_key, paint);
        stopped.await;
        drop(serving);
        Ok(Answer::Good)
    }
}

fn greet(serving: &Serving, api_key: &str, paint: Paint) {
    let (page, api) = (serving.url(), serving.api_url());
    line!("The marketplace is open at {}", paint.strong(page));
    line!("\nYour add-on takes {api} for https://api.heroku.com and https://id.heroku.com.");
    line!("Heroku's own command orders here, too, with");
    line!("  export HEROKU_HOST={api} HEROKU_API_KEY={api_key} DISABLE_TELEMETRY=true");
    line!("\n{}", paint.faint("Ctrl-C closes it."));
}

async fn replay(sandbox: &Marketplace, file: &std::path::Path, paint: Paint) -> Result<Answer, Fault> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let recording = match Recording::parse(&text) {
        Ok(recording) => recording,
        Err(sentence) => bail!("{shown}: {sentence}"),
    };
    let replayed = sandbox.replay(&recording).await;
    let told = |status: Option<u16>| status.map_or("no answer".to_owned(), |status| status.to_string());
    for call in &replayed {
        let (was, is) = (told(call.recorded_status), told(call.status));
        if call.is_unchanged() {
            line!("{} {}: {is}", paint.good("same"), call.title);
        } else {
            line!("{} {}: {was} then, {is} now", paint.bad("other"), call.title);
        }
    }
    let is_unchanged = replayed.iter().all(maitre_sandbox::ReplayedCall::is_unchanged);
    Ok(if is_unchanged { Answer::Good } else { Answer::Bad })
}
