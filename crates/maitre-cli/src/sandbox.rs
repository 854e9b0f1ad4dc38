//! `maitre sandbox`

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use maitre_conformance::Marketplace;
use maitre_sandbox::{
    Activity, Chaos, Recording, ReplayedCall, Sandbox as LocalMarketplace, SandboxBuilder, Serving, bind,
};

use crate::browser;
use crate::color::Palette;
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;
use crate::shutdown_signal::shutdown_signal;
use crate::target_args::{MarketplaceArgs, TargetArgs};
use crate::values;

/// Runs a local marketplace, by default Heroku: a web page for customers, the API that add-ons call, fault injection and a
/// movable clock.
///
/// Prints the address that the add-on uses in place of the marketplace's API, for Heroku the settings for the heroku command, and
/// then a line for each call.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre sandbox --url http://127.0.0.1:8300 --plan basic --plan premium=900
  maitre sandbox --plan basic --open
  maitre sandbox --plan basic --state-file sandbox.db --port 7001
  maitre sandbox --plan basic --chaos 10% --seed 7
  maitre sandbox --plan basic --replay recording.json
  maitre sandbox --marketplace scalingo --manifest scalingo.json --plan basic
  maitre sandbox --marketplace osb --url http://localhost:8300/osb \\
      --user tally --password … --plan basic

Exit status: 0 ok, 1 a replayed response differs, 2 could not run.")]
pub(crate) struct Sandbox {
    #[command(flatten)]
    marketplace_args: MarketplaceArgs,

    #[command(flatten)]
    target_args: TargetArgs,

    /// Plans of the add-on, with the monthly price in cents if there is one. May be repeated
    #[arg(
        long = "plan",
        value_name = "NAME[=CENTS]",
        value_delimiter = ',',
        default_value = "test",
        env = "MAITRE_PLANS"
    )]
    plans: Vec<String>,

    /// Option of every provision, for an add-on that needs one. May be repeated
    #[arg(long = "option", value_name = "KEY=VALUE", value_parser = values::option)]
    options: Vec<(String, String)>,

    /// Port of the web page and the APIs. A taken port is replaced by the next free one
    #[arg(long, default_value_t = 8400)]
    port: u16,

    /// Address to listen on. Anything but loopback exposes the add-on's secrets
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,

    /// Additional host name to accept requests for, such as the name that a container uses. May be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,

    /// SQLite file that keeps the state across restarts
    #[arg(long, value_name = "FILE")]
    state_file: Option<PathBuf>,

    /// Share of calls with an injected fault
    #[arg(long, value_name = "PERCENT", default_value = "0%")]
    chaos: Chaos,

    /// Seed for --chaos: the same seed injects the same faults
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// OAuth client secret of the add-on at Heroku, or of the integration at Vercel
    #[arg(
        long,
        value_name = "SECRET",
        env = "MAITRE_CLIENT_SECRET",
        hide_env_values = true,
        default_value = "development-only-client-secret",
        hide_default_value = true
    )]
    client_secret: String,

    /// API key of the customer at Heroku, for the heroku command
    #[arg(long, value_name = "KEY", default_value = "sandbox")]
    api_key: String,

    /// Open the web page in a browser: with the command in BROWSER, or with the system's default
    #[arg(long)]
    open: bool,

    /// Do not print a line for each call
    #[arg(long, short)]
    quiet: bool,

    /// Resend the marketplace's calls of this recording, compare the responses and exit
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

impl Sandbox {
    pub(crate) async fn run(self, palette: Palette) -> anyhow::Result<ExitStatus> {
        let mut builder = self
            .builder()?
            .plans(self.plans.iter().map(String::as_str))?
            .allow_remote(self.target_args.allow_remote)
            .chaos(self.chaos, self.seed)
            .client_secret(&self.client_secret)
            .api_key(&self.api_key);
        if let Some(url) = &self.target_args.url {
            builder = builder.url(url);
        }
        if let Some(url) = &self.target_args.sso_url {
            builder = builder.sso_url(url);
        }
        if let Some(file) = &self.state_file {
            builder = builder.state_file(file);
        }
        builder = self.options.iter().fold(builder, |builder, (name, value)| builder.option(name, value));
        builder = self.allow_host.iter().fold(builder, SandboxBuilder::allow_host);
        let sandbox = builder.open()?;
        match &self.replay {
            Some(file) => replay(&sandbox, file, palette).await,
            None => self.serve(&sandbox, palette).await,
        }
    }

    /// Returns a builder for the marketplace, with its manifest or its credentials.
    fn builder(&self) -> anyhow::Result<SandboxBuilder> {
        let MarketplaceArgs { marketplace, manifest, credentials, .. } = &self.marketplace_args;
        match marketplace {
            Marketplace::QuickNode => {
                let (user, password) = credentials.basic()?;
                return Ok(LocalMarketplace::quicknode_builder(user, password, credentials.jwt_secret()?));
            }
            Marketplace::OpenServiceBroker => {
                let (user, password) = credentials.basic()?;
                return Ok(LocalMarketplace::osb_builder(user, password));
            }
            Marketplace::Vercel => {
                let (integration, product) = credentials.integration()?;
                return Ok(LocalMarketplace::vercel_builder(integration, product));
            }
            _ => {}
        }
        let path = manifest.display();
        let text = std::fs::read_to_string(manifest)
            .with_context(|| format!("cannot read {path}: use --manifest, or create one with `maitre manifest new`"))?;
        LocalMarketplace::builder_for(*marketplace, &text).with_context(|| format!("in {path}"))
    }

    async fn serve(&self, sandbox: &LocalMarketplace, palette: Palette) -> anyhow::Result<ExitStatus> {
        let (address, port) = (self.bind, self.port);
        let socket = bind(address, port)
            .await
            .with_context(|| format!("cannot listen on {}: choose another --port", SocketAddr::new(address, port)))?;
        let bound = socket.local_addr().context("cannot read the sandbox's address")?.port();
        // installed before the banner is printed: its reader may stop the process immediately
        let shutdown = shutdown_signal().context("cannot handle Ctrl-C")?;
        let serving = sandbox.serve(socket)?;
        if port != 0 && bound != port {
            println_ignoring_pipe!("Port {port} is taken by another program: using port {bound}.");
        }
        print_banner(sandbox, &serving, &self.api_key, palette);
        if self.open
            && let Err(error) = browser::open(serving.url())
        {
            println_ignoring_pipe!("{} cannot open a browser: {error}", palette.warning("Warning:"));
        }
        let activity = sandbox.activity();
        tokio::select! {
            () = shutdown => {}
            () = print_activity(activity, palette), if !self.quiet => {}
        }
        drop(serving);
        Ok(ExitStatus::Success)
    }
}

fn print_banner(sandbox: &LocalMarketplace, serving: &Serving, api_key: &str, palette: Palette) {
    let (page, api, addon) = (serving.url(), serving.api_url(), sandbox.addon_url());
    let mut facts = vec![("Web page", palette.bold(page))];
    facts.extend(sandbox.api_replaces().map(|replaced| ("API", format!("{api}, in place of {replaced}"))));
    facts.push(("Add-on", addon.to_owned()));
    if sandbox.marketplace() == Marketplace::Heroku {
        let settings = format!("export HEROKU_HOST={api} HEROKU_API_KEY={api_key} DISABLE_TELEMETRY=true");
        facts.push(("heroku", settings));
    }
    println_ignoring_pipe!("The marketplace is running.\n");
    for (name, value) in facts {
        println_ignoring_pipe!("  {name:<8}  {value}");
    }
    println_ignoring_pipe!("\n{}\n", palette.dim("Press Ctrl-C to stop."));
}

/// Prints a line for each call, until the sandbox ends.
async fn print_activity(mut activity: Activity, palette: Palette) {
    loop {
        let lines = activity.next().await;
        if lines.is_empty() {
            return;
        }
        for line in lines {
            let text = if line.is_problem { palette.error(&line.text) } else { line.text };
            println_ignoring_pipe!("{}  {text}", palette.dim(&line.facts));
        }
    }
}

async fn replay(sandbox: &LocalMarketplace, file: &Path, palette: Palette) -> anyhow::Result<ExitStatus> {
    let path = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {path}"))?;
    let recording = match Recording::parse(&text) {
        Ok(recording) => recording,
        Err(message) => bail!("{path}: {message}"),
    };
    let replayed = sandbox.replay(&recording).await;
    let status = |status: Option<u16>| status.map_or("no response".to_owned(), |status| status.to_string());
    for call in &replayed {
        let (was, is) = (status(call.recorded_status), status(call.status));
        if call.is_unchanged() {
            println_ignoring_pipe!("{} {}: {is}", palette.success("same"), call.title);
        } else {
            println_ignoring_pipe!("{} {}: was {was}, is {is}", palette.error("different"), call.title);
        }
    }
    let is_unchanged = replayed.iter().all(ReplayedCall::is_unchanged);
    Ok(if is_unchanged { ExitStatus::Success } else { ExitStatus::ProblemsFound })
}
