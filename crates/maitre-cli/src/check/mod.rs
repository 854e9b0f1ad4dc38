//! `maitre check`

mod files;
mod list;
mod progress;
mod report;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use maitre_conformance::{Address, Conclusion, Marketplace, Suite, SuiteBuilder, checks};

use crate::answered;
use crate::color::Palette;
use crate::exit::{ExitStatus, Format};
use crate::output::{eprintln_ignoring_errors, print_ignoring_pipe, println_ignoring_pipe};
use crate::shutdown_signal::shutdown_signal;
use crate::target_args::{MarketplaceArgs, TargetArgs};
use crate::values::{self, CheckName};

use files::ReportFiles;
use progress::ProgressLine;

/// Checks whether an add-on conforms to its marketplace's contract, and suggests fixes.
///
/// Provisions, changes and deprovisions resources as the marketplace would. Deletes every resource that it created, also after
/// a failure or Ctrl-C, and touches no other resource.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre check --plan basic,premium
  maitre check --plan basic --plan premium --only sso --strict
  maitre check --list
  maitre check --marketplace osb --url http://localhost:8300/osb --user tally
  maitre check --marketplace scalingo --manifest scalingo.json
  MAITRE_CLIENT_SECRET=… maitre check --platform 127.0.0.1:5999 --only async
  MAITRE_CLIENT_SECRET=… maitre check --marketplace vercel \\
    --url http://localhost:8300/vercel --platform 127.0.0.1:5999 \\
    --integration oac_… --product lantern
  maitre check --url https://lantern.example --allow-remote --junit report.xml

Exit status: 0 ok, 1 problems found (a failed must; with --strict also a failed should; or a resource that could not be \
deleted), 2 could not run, or nothing was tested.")]
pub(crate) struct Check {
    /// List the checks instead of running them: ids, levels and sources
    #[arg(long)]
    list: bool,

    #[command(flatten)]
    marketplace_args: MarketplaceArgs,

    #[command(flatten)]
    target_args: TargetArgs,

    /// Plans of the add-on: the first is provisioned, the second is the target of plan changes. May be repeated. Defaults
    /// to test, and for a service broker to plans of its catalog
    #[arg(long = "plan", value_name = "NAME", value_delimiter = ',', env = "MAITRE_PLANS")]
    plans: Vec<String>,

    /// Option of every provision, for an add-on that needs one. May be repeated
    #[arg(long = "option", value_name = "KEY=VALUE", value_parser = values::option)]
    options: Vec<(String, String)>,

    /// Number of checks that run concurrently. The outcome does not depend on it
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,

    /// Run only these checks: ids or groups, as listed by --list
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = CheckName, hide_possible_values = true)]
    only: Vec<String>,

    /// Skip these checks: ids or groups
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = CheckName, hide_possible_values = true)]
    skip: Vec<String>,

    /// Exit with status 1 also for failed checks of level should
    #[arg(long)]
    strict: bool,

    /// Run the slow checks too, which takes about two minutes longer
    #[arg(long)]
    slow: bool,

    /// Serve the marketplace's own side at this address. Start an add-on for Heroku that answers 202 with this address in
    /// place of api.heroku.com and id.heroku.com, and an integration at Vercel with this address as issuer, key set and API
    #[arg(long, value_name = "HOST:PORT", requires = "client_secret")]
    platform: Option<SocketAddr>,

    /// OAuth client secret of the add-on, or client secret of the integration
    #[arg(long, value_name = "SECRET", env = "MAITRE_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,

    /// URL of an integration's webhooks at Vercel. Defaults to /webhooks below --url
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,

    /// Time that an add-on that answers 202 has to complete an operation
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    async_timeout: u64,

    /// Output format; markdown is for --list only, junit for reports only
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,

    #[command(flatten)]
    report_files: ReportFiles,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    #[default]
    Human,
    Json,
    Junit,
    Markdown,
}

impl Check {
    pub(crate) fn format(&self) -> Format {
        if self.format == OutputFormat::Json { Format::Json } else { Format::Human }
    }

    pub(crate) async fn run(self, palette: Palette) -> anyhow::Result<ExitStatus> {
        if self.list {
            return self.list(palette);
        }
        if self.format == OutputFormat::Markdown {
            bail!("--format markdown needs --list");
        }
        let files = self.report_files.open()?;
        let builder = self.suite()?;
        let checks = builder.checks()?;
        let progress = Arc::new(Mutex::new(ProgressLine::new(checks, self.format == OutputFormat::Human, palette)));
        let (started, finished) = (progress.clone(), progress.clone());
        let suite = builder
            .on_start(move |check| lock(&started).start(check.id))
            .on_result(move |result| lock(&finished).finish(result))
            .build()?;
        if let Some(notice) = self.notice().await {
            eprintln_ignoring_errors!("{} {notice}", palette.dim("note:"));
        }
        let report = suite.run_until(interrupted()?).await;
        lock(&progress).end();
        files.write(&report, self.strict)?;
        let report = report?;
        match self.format {
            OutputFormat::Json => println_ignoring_pipe!("{}", report.to_json()),
            OutputFormat::Junit => print_ignoring_pipe!("{}", report.to_junit(self.strict)),
            OutputFormat::Human | OutputFormat::Markdown => report::print(&report, self.strict, palette),
        }
        if report.interrupted {
            eprintln_ignoring_errors!("{} {}", palette.error("error:"), report::interruption(&report));
        }
        Ok(match report.conclusion(self.strict) {
            Conclusion::Conformant => ExitStatus::Success,
            Conclusion::Interrupted => ExitStatus::Interrupted,
            Conclusion::Untested => ExitStatus::Untested,
            _ => ExitStatus::ProblemsFound,
        })
    }

    fn list(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        match self.format {
            OutputFormat::Human => list::print(self.marketplace_args.marketplace, palette),
            OutputFormat::Json => println_ignoring_pipe!("{}", list::json(self.marketplace_args.marketplace)),
            OutputFormat::Markdown => print_ignoring_pipe!("{}", list::page()),
            OutputFormat::Junit => bail!("--format junit is for reports: use it without --list"),
        }
        Ok(ExitStatus::Success)
    }

    /// Returns the notice for an add-on at a host name with several addresses.
    async fn notice(&self) -> Option<String> {
        let TargetArgs { url, sso_url, allow_remote } = &self.target_args;
        let marketplace = self.marketplace_args.marketplace;
        let manifest = match marketplace {
            Marketplace::OpenServiceBroker | Marketplace::QuickNode | Marketplace::Vercel => None,
            _ => Some(self.marketplace_args.read_manifest().ok()?.0),
        };
        let address =
            Address::resolve(marketplace, manifest.as_ref(), url.as_deref(), sso_url.as_deref(), *allow_remote).ok()?;
        answered::probe(&address.root).await
    }

    fn suite(&self) -> anyhow::Result<SuiteBuilder> {
        let suite = match self.marketplace_args.marketplace {
            Marketplace::Heroku => Suite::builder_from_file(self.marketplace_args.existing_manifest()?),
            Marketplace::OpenServiceBroker => {
                let (user, password) = self.marketplace_args.credentials.basic()?;
                Suite::broker(user, password)
            }
            Marketplace::QuickNode => {
                let (user, password) = self.marketplace_args.credentials.basic()?;
                Suite::quicknode(user, password, self.marketplace_args.credentials.jwt_secret()?)
            }
            Marketplace::Vercel => {
                let (integration, product) = self.marketplace_args.credentials.integration()?;
                Suite::vercel(integration, product)
            }
            other if checks(other).next().is_some() => {
                Suite::builder_from_file_for(other, self.marketplace_args.existing_manifest()?)
            }
            other => bail!("maitre has no checks for {other}: choose one of {}", checked_marketplaces()),
        };
        let mut suite = suite
            .plans(self.plans.iter().map(String::as_str))
            .slow(self.slow)
            .jobs(self.jobs.into())
            .allow_remote(self.target_args.allow_remote)
            .only(self.only.iter().map(String::as_str))
            .skip(self.skip.iter().map(String::as_str))
            .async_timeout(Duration::from_secs(self.async_timeout));
        suite = self.options.iter().fold(suite, |suite, (key, value)| suite.option(key, value));
        if let Some(url) = &self.target_args.url {
            suite = suite.url(url);
        }
        if let Some(url) = &self.target_args.sso_url {
            suite = suite.sso_url(url);
        }
        if let Some(url) = &self.webhook_url {
            suite = suite.webhook_url(url);
        }
        if let (Some(address), Some(secret)) = (self.platform, &self.client_secret) {
            if !address.ip().is_loopback() {
                bail!("{address} is not a loopback address: --platform needs one, such as 127.0.0.1:5999");
            }
            let socket = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
            suite = suite.platform(socket, secret);
        }
        Ok(suite)
    }
}

/// Returns the names of the marketplaces that have checks.
fn checked_marketplaces() -> String {
    let checked = Marketplace::ALL.into_iter().filter(|marketplace| checks(*marketplace).next().is_some());
    checked.map(Marketplace::name).collect::<Vec<_>>().join(", ")
}

fn lock(progress: &Mutex<ProgressLine>) -> MutexGuard<'_, ProgressLine> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Completes on the first shutdown signal, after which the suite deletes its resources. The second signal exits immediately.
fn interrupted() -> anyhow::Result<impl Future<Output = ()>> {
    let first = shutdown_signal().context("cannot handle Ctrl-C, which is needed to delete the created resources")?;
    Ok(async move {
        first.await;
        eprintln_ignoring_errors!("\nstopping: deleting the created resources (Ctrl-C again to leave them)");
        // not earlier, as every listener receives every signal
        if let Ok(second) = shutdown_signal() {
            tokio::spawn(async move {
                second.await;
                std::process::exit(130);
            });
        }
    })
}
