//! `maitre send`

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use futures_util::{StreamExt as _, stream};
use maitre_testkit::{Call, Kind, Reply};
use serde_json::{Value, json};

use crate::answered;
use crate::color::Palette;
use crate::exit::{ExitStatus, Format};
use crate::output::{eprintln_ignoring_errors, println_ignoring_pipe};
use crate::overrides::{Editable, Overrides};
use crate::target_args::{
    MarketplaceArgs, MarketplaceClient, Target, TargetArgs, account_and_endpoint, quicknode_link,
};
use crate::values;

/// Sends one marketplace request, with overrides, and prints the request and the response.
///
/// Provisioned resources are kept until they are deleted with `maitre send deprovision ID`.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre send provision --plan basic
  maitre send provision --plan basic --set oauth_grant=null --add zone=b
  maitre send provision --plan basic --repeat 32 --parallel 32
  maitre send plan-change 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --plan premium
  maitre send sso 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --set user_id=x
  maitre send deprovision 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21
  maitre send suspend ad-7 --marketplace scalingo --manifest scalingo.json
  maitre send deprovision qn-acc-1/ep-1 --marketplace quicknode --user pomelo

Exit status: 0 every response is a success or a redirect, 1 another response, 2 could not run or no response.")]
pub(crate) struct Send {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Provision a resource
    #[command(
        after_help = "Example:\n  maitre send provision --plan basic --set region=amazon-web-services::eu-west-1"
    )]
    Provision {
        /// Plan of the new resource
        #[arg(long, default_value = "test")]
        plan: String,
        /// Option of the provision. May be repeated
        #[arg(long = "option", value_name = "KEY=VALUE", value_parser = values::option)]
        options: Vec<(String, String)>,
        #[command(flatten)]
        args: SendArgs,
    },
    /// Change the plan of a resource
    #[command(after_help = "Example:\n  maitre send plan-change 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --plan premium")]
    PlanChange {
        /// Provider id: the id in the response to the provision; at QuickNode ACCOUNT/ENDPOINT
        id: String,
        /// New plan
        #[arg(long)]
        plan: String,
        #[command(flatten)]
        args: SendArgs,
    },
    /// Deprovision a resource
    #[command(after_help = "Example:\n  maitre send deprovision 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21")]
    Deprovision {
        /// Provider id: the id in the response to the provision; at QuickNode ACCOUNT/ENDPOINT, or ACCOUNT with all of its
        /// endpoints
        id: String,
        #[command(flatten)]
        args: SendArgs,
    },
    /// Suspend a resource: Scalingo's request, or DigitalOcean's notification
    #[command(after_help = "Example:\n  maitre send suspend ad-7 --marketplace scalingo --manifest scalingo.json")]
    Suspend {
        /// Provider id; at DigitalOcean the uuid
        id: String,
        #[command(flatten)]
        args: SendArgs,
    },
    /// End the suspension of a resource
    #[command(after_help = "Example:\n  maitre send resume ad-7 --marketplace scalingo --manifest scalingo.json")]
    Resume {
        /// Provider id; at DigitalOcean the uuid
        id: String,
        #[command(flatten)]
        args: SendArgs,
    },
    /// Sign on to the dashboard of a resource
    #[command(after_help = "Example:\n  maitre send sso 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --unset token")]
    Sso {
        /// Resource key: the marketplace's id of the resource, on Heroku its uuid
        id: String,
        /// Provider id: the id in the response to the provision. Defaults to ID
        #[arg(long, value_name = "ID")]
        provider_id: Option<String>,
        /// Unix time of the signature. Defaults to now
        #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
        at: Option<String>,
        #[command(flatten)]
        args: SendArgs,
    },
}

#[derive(Args)]
struct SendArgs {
    #[command(flatten)]
    marketplace_args: MarketplaceArgs,

    #[command(flatten)]
    target_args: TargetArgs,

    #[command(flatten)]
    overrides: Overrides,

    /// Number of times to send the request
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repeat: u32,

    /// Number of requests to send concurrently
    #[arg(long, value_name = "REQUESTS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    parallel: u32,

    /// Print credentials, tokens and config vars unmasked
    #[arg(long)]
    show_secrets: bool,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    #[default]
    Human,
    Json,
}

impl Send {
    fn args(&self) -> &SendArgs {
        match &self.command {
            Command::Provision { args, .. }
            | Command::PlanChange { args, .. }
            | Command::Deprovision { args, .. }
            | Command::Suspend { args, .. }
            | Command::Resume { args, .. }
            | Command::Sso { args, .. } => args,
        }
    }

    pub(crate) fn format(&self) -> Format {
        if self.args().format == OutputFormat::Json { Format::Json } else { Format::Human }
    }

    pub(crate) async fn run(self, palette: Palette) -> anyhow::Result<ExitStatus> {
        use MarketplaceClient as Client;
        let args = self.args();
        let target = args.marketplace_args.target(&args.target_args)?;
        match (&self.command, &target.client) {
            (Command::Provision { plan, options, .. }, Client::Heroku(heroku)) => {
                args.send(target.heroku_provision(heroku, plan, values::options(options)), palette).await
            }
            (Command::Provision { plan, options, .. }, Client::CloudControl(it)) => {
                args.send(it.provision(plan).set("options", values::options(options)), palette).await
            }
            (Command::Provision { plan, options, .. }, Client::Opperator(it)) => {
                let mut fields = json!({ "plan": plan });
                if !options.is_empty() {
                    fields["options"] = values::options(options);
                }
                args.send(it.provision(fields), palette).await
            }
            (Command::PlanChange { id, plan, .. }, Client::Heroku(it)) => {
                args.send(it.plan_change(id, plan), palette).await
            }
            (Command::PlanChange { id, plan, .. }, Client::CloudControl(it)) => {
                args.send(it.plan_change(id, plan), palette).await
            }
            (Command::PlanChange { id, plan, .. }, Client::Opperator(it)) => {
                args.send(it.plan_change(id, json!({ "plan": plan })), palette).await
            }
            (Command::Deprovision { id, .. }, Client::Heroku(it)) => args.send(it.deprovision(id), palette).await,
            (Command::Deprovision { id, .. }, Client::CloudControl(it)) => args.send(it.deprovision(id), palette).await,
            (Command::Deprovision { id, .. }, Client::Opperator(it)) => args.send(it.deprovision(id), palette).await,
            (Command::Provision { plan, options, .. }, Client::Basic(it)) => {
                args.send(it.provision(plan, values::options(options)), palette).await
            }
            (Command::PlanChange { id, plan, .. }, Client::Basic(it)) => {
                args.send(it.plan_change(id, plan), palette).await
            }
            (Command::Deprovision { id, .. }, Client::Basic(it)) => args.send(it.deprovision(id), palette).await,
            (Command::Provision { options, .. }, Client::QuickNode(_)) if !options.is_empty() => {
                bail!("QuickNode has no options: change other fields with --set")
            }
            (Command::Provision { plan, .. }, Client::QuickNode(it)) => {
                args.send(it.provision(&it.new_account(), &it.new_endpoint(), plan), palette).await
            }
            (Command::PlanChange { id, plan, .. }, Client::QuickNode(it)) => {
                let (account, endpoint) = account_and_endpoint(id);
                let endpoint = endpoint.context("QuickNode changes the plan of an endpoint: pass ACCOUNT/ENDPOINT")?;
                args.send(it.update(account, endpoint, plan), palette).await
            }
            (Command::Deprovision { id, .. }, Client::QuickNode(it)) => {
                let call = match account_and_endpoint(id) {
                    (account, Some(endpoint)) => it.deactivate(account, endpoint),
                    (account, None) => it.deprovision(account),
                };
                args.send(call, palette).await
            }
            (Command::Sso { id, at, .. }, Client::QuickNode(it)) => {
                let link = quicknode_link(it, &args.marketplace_args, &args.target_args, id, at.as_deref())?;
                args.send(link, palette).await
            }
            (Command::Suspend { id, .. }, Client::Basic(it)) => args.send(it.suspend(id)?, palette).await,
            (Command::Resume { id, .. }, Client::Basic(it)) => args.send(it.resume(id)?, palette).await,
            (Command::Suspend { .. } | Command::Resume { .. }, _) => {
                bail!("{} does not suspend resources", args.marketplace_args.marketplace.title())
            }
            (Command::Sso { id, provider_id, at, .. }, _) => {
                sign_on(args, &target, id, provider_id.as_deref(), at.as_deref(), palette).await
            }
        }
    }
}

async fn sign_on(
    args: &SendArgs,
    target: &Target,
    id: &str,
    provider_id: Option<&str>,
    at: Option<&str>,
    palette: Palette,
) -> anyhow::Result<ExitStatus> {
    let missing = "cannot sign on: the manifest needs api.sso_salt and an sso_url (or use --sso-url)";
    let (client, path) = target.sso.as_ref().context(missing)?;
    match client {
        MarketplaceClient::Heroku(heroku) => {
            let form = heroku.single_sign_on(id).provider_id(provider_id.unwrap_or(id)).path(path);
            args.send(at.into_iter().fold(form, Call::timestamp), palette).await
        }
        MarketplaceClient::CloudControl(cloudcontrol) => {
            let form = cloudcontrol.single_sign_on(provider_id.unwrap_or(id)).path(path);
            args.send(at.into_iter().fold(form, Call::timestamp), palette).await
        }
        MarketplaceClient::Basic(basic) => {
            let form = basic.single_sign_on(id, provider_id).path(path);
            args.send(at.into_iter().fold(form, Call::timestamp), palette).await
        }
        MarketplaceClient::Opperator(_) | MarketplaceClient::QuickNode(_) => {
            bail!("{} has no signed form", args.marketplace_args.marketplace.title())
        }
    }
}

impl SendArgs {
    async fn send<K>(&self, call: Call<K>, palette: Palette) -> anyhow::Result<ExitStatus>
    where
        K: Kind + Clone + std::marker::Send + Sync + 'static,
        K::Value: Editable + std::marker::Send + Sync,
    {
        let call = self.overrides.apply(call)?;
        let start = Instant::now();
        let requests = stream::iter((0..self.repeat).map(|_| {
            let call = call.clone();
            async move {
                let start = Instant::now();
                (call.try_send().await, start.elapsed())
            }
        }));
        let mut replies = requests.buffered(usize::try_from(self.parallel).unwrap_or(1));
        let mut statuses: Vec<(u16, usize)> = Vec::new();
        let mut is_first = true;
        while let Some((reply, elapsed)) = replies.next().await {
            let reply = reply?;
            match statuses.iter_mut().find(|(status, _)| *status == reply.status()) {
                Some((_, count)) => *count += 1,
                None => statuses.push((reply.status(), 1)),
            }
            self.print(&reply, elapsed, palette);
            if std::mem::take(&mut is_first)
                && let Some(notice) = answered::notice(&reply).await
            {
                eprintln_ignoring_errors!("{} {notice}", palette.dim("note:"));
            }
        }
        if self.repeat > 1 && self.format == OutputFormat::Human {
            let counts: Vec<_> = statuses.iter().map(|(status, count)| format!("{status} ×{count}")).collect();
            println_ignoring_pipe!("{} in {} ms", palette.bold(&counts.join(", ")), start.elapsed().as_millis());
        }
        let is_success = statuses.iter().all(|(status, _)| (200..400).contains(status));
        Ok(if is_success { ExitStatus::Success } else { ExitStatus::ProblemsFound })
    }

    fn print(&self, reply: &Reply, elapsed: Duration, palette: Palette) {
        let exchange = if self.show_secrets { unmasked(reply) } else { reply.to_string() };
        if self.format == OutputFormat::Json {
            let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
            let mut object = json!({
                "status": reply.status(),
                "milliseconds": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
                "address": reply.remote_address(),
                "id": body["id"],
                "message": body["message"],
                "exchange": exchange,
            });
            if self.show_secrets {
                object["body"] = body;
            }
            println_ignoring_pipe!("{object}");
            return;
        }
        for line in exchange.lines() {
            match line.split_once(' ') {
                Some(("<", status)) if status == reply.status().to_string() => {
                    let is_success = (200..400).contains(&reply.status());
                    let status = if is_success { palette.success(status) } else { palette.error(status) };
                    println_ignoring_pipe!("< {status}");
                }
                _ => println_ignoring_pipe!("{line}"),
            }
        }
        println_ignoring_pipe!("{}\n", palette.dim(&format!("{} ms", elapsed.as_millis())));
    }
}

/// Formats the exchange with its secrets.
fn unmasked(reply: &Reply) -> String {
    let request = reply.request();
    let mut lines = vec![format!("> {} {}", request.method(), request.url())];
    lines.extend(request.headers().map(|(name, value)| format!("> {name}: {value}")));
    lines.extend(String::from_utf8_lossy(request.body()).lines().map(|line| format!("> {line}")));
    lines.push(String::new());
    lines.push(format!("< {}", reply.status()));
    lines.extend(reply.headers().map(|(name, value)| format!("< {name}: {value}")));
    lines.extend(reply.text().lines().map(|line| format!("< {line}")));
    lines.join("\n")
}
