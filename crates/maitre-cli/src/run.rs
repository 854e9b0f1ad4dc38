//! `maitre run`

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitStatus as ChildStatus;

use anyhow::{Context as _, bail};
use clap::Args;
use futures_util::FutureExt as _;
use maitre_testkit::{Call, Json, Kind, Reply};
use serde_json::{Map, Value, json};
use tokio::process::{Child, Command};

use crate::color::Palette;
use crate::exit::ExitStatus;
use crate::output::eprintln_ignoring_errors;
use crate::shutdown_signal::{ShutdownSignal, ShutdownSignals};
use crate::target_args::{MarketplaceArgs, MarketplaceClient, Target, TargetArgs};
use crate::values;

/// Number of attempts to deprovision the resource.
const ATTEMPTS: u32 = 3;

/// Runs a command with the config vars of a new resource, and then deprovisions the resource.
///
/// The resource is deprovisioned also if the command fails or is interrupted.
#[derive(Args)]
#[command(after_help = "Examples:
  maitre run --plan basic -- npm test
  maitre run --plan basic --option retention=7d -- sh -c 'psql \"$LANTERN_URL\"'

Exit status: that of the command; if it is 0 and the resource could not be deprovisioned, 1; 2 could not run.")]
pub(crate) struct Run {
    /// Plan of the resource
    #[arg(long, value_name = "NAME", default_value = "test")]
    plan: String,

    /// Option of the provision. May be repeated
    #[arg(long = "option", value_name = "KEY=VALUE", value_parser = values::option)]
    options: Vec<(String, String)>,

    #[command(flatten)]
    marketplace_args: MarketplaceArgs,

    #[command(flatten)]
    target_args: TargetArgs,

    /// Command to run, with its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A resource of the add-on.
struct Resource {
    id: String,
    config: BTreeMap<String, String>,
}

impl Run {
    pub(crate) async fn run(self, palette: Palette) -> anyhow::Result<ExitStatus> {
        let target = self.marketplace_args.target(&self.target_args)?;
        let mut signals = ShutdownSignals::new().context("cannot handle Ctrl-C, which is needed to deprovision")?;
        let reply = self.provision(&target).await?;
        let resource = Resource::from_reply(&reply)?;
        let result = if signals.next().now_or_never().is_some() {
            Ok(ExitStatus::Interrupted)
        } else {
            self.execute(&reply, &resource, &mut signals, palette).await
        };
        let removal = deprovision(&target, &resource.id).await;
        if let Err(error) = &removal {
            eprintln_ignoring_errors!("{} left behind: {} ({error})", palette.error("error:"), resource.id);
        }
        match result {
            Ok(ExitStatus::Success) if removal.is_err() => Ok(ExitStatus::ProblemsFound),
            result => result,
        }
    }

    async fn provision(&self, target: &Target) -> anyhow::Result<Reply> {
        let options = values::options(&self.options);
        match &target.client {
            MarketplaceClient::Heroku(heroku) => {
                let call = target.heroku_provision(heroku, &self.plan, options);
                let uuid = call.fields().into_iter().find(|(name, _)| name == "uuid");
                match succeed(call).await {
                    Ok(reply) => Ok(reply),
                    Err(error) => {
                        // without a response, the add-on may have created the resource
                        if let Some((_, Value::String(uuid))) = uuid {
                            let _ = heroku.deprovision(&uuid).try_send().await;
                        }
                        Err(error)
                    }
                }
            }
            MarketplaceClient::CloudControl(it) => succeed(it.provision(&self.plan).set("options", options)).await,
            MarketplaceClient::Basic(it) => succeed(it.provision(&self.plan, options)).await,
            MarketplaceClient::QuickNode(_) => {
                bail!("QuickNode is not supported by this command: it has no config vars")
            }
            MarketplaceClient::Opperator(it) => {
                succeed(it.provision(json!({ "plan": self.plan, "options": options }))).await
            }
        }
    }

    /// Runs the command until it exits.
    async fn execute(
        &self,
        reply: &Reply,
        resource: &Resource,
        signals: &mut ShutdownSignals,
        palette: Palette,
    ) -> anyhow::Result<ExitStatus> {
        if reply.status() == 202 && resource.config.is_empty() {
            bail!("the add-on answers 202, and sets its config vars later: run the command with `maitre sandbox`");
        }
        let names: Vec<_> = resource.config.keys().map(String::as_str).collect();
        eprintln_ignoring_errors!(
            "{} provisioned {}, which sets {}",
            palette.dim("note:"),
            resource.id,
            names.join(", ")
        );
        let [program, arguments @ ..] = self.command.as_slice() else { bail!("the command to run is missing") };
        let mut child = Command::new(program)
            .args(arguments)
            .envs(&resource.config)
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        loop {
            tokio::select! {
                status = child.wait() => return Ok(ExitStatus::Command(code(status.context("the command is lost")?))),
                signal = signals.next() => forward(&child, signal),
            }
        }
    }
}

impl Resource {
    fn from_reply(reply: &Reply) -> anyhow::Result<Self> {
        let body: Value = serde_json::from_slice(reply.body()).unwrap_or_default();
        let id = match &body["id"] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => bail!("the response to the provision has no id, so the resource cannot be deprovisioned"),
        };
        let vars = body["config"].as_object().into_iter().flatten();
        let config = vars.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        Ok(Self { id, config })
    }
}

/// Sends a provision and requires a success.
async fn succeed<K>(call: Call<K>) -> anyhow::Result<Reply>
where
    K: Kind + Send + Sync + 'static,
    K::Value: Send + Sync,
{
    let reply = call.try_send().await.context("the provision was not answered")?;
    if (200..300).contains(&reply.status()) {
        return Ok(reply);
    }
    let body: Map<String, Value> = serde_json::from_slice(reply.body()).unwrap_or_default();
    let message = body.get("message").and_then(Value::as_str).map(|message| format!(": {message}"));
    bail!("the provision was answered {}{}", reply.status(), message.unwrap_or_default())
}

/// Deprovisions the resource. Returns an error if it may still exist.
async fn deprovision(target: &Target, id: &str) -> Result<(), String> {
    let call = || -> Call<Json> {
        match &target.client {
            MarketplaceClient::Heroku(it) => it.deprovision(id),
            MarketplaceClient::CloudControl(it) => it.deprovision(id),
            MarketplaceClient::Opperator(it) => it.deprovision(id),
            MarketplaceClient::Basic(it) => it.deprovision(id),
            MarketplaceClient::QuickNode(it) => it.deprovision(id),
        }
    };
    let mut failure = String::new();
    for attempt in 0..ATTEMPTS {
        tokio::time::sleep(std::time::Duration::from_secs(attempt.into())).await;
        failure = match call().try_send().await {
            Ok(reply) if (200..300).contains(&reply.status()) || matches!(reply.status(), 404 | 410) => return Ok(()),
            Ok(reply) => format!("DELETE was answered {}", reply.status()),
            Err(error) => error.to_string(),
        };
    }
    Err(failure)
}

/// Passes a signal to the command. A terminal has already sent an interrupt to it.
fn forward(child: &Child, signal: ShutdownSignal) {
    use std::io::IsTerminal as _;
    if signal == ShutdownSignal::Interrupt && std::io::stdin().is_terminal() {
        return;
    }
    signal.send_to(child);
}

#[cfg(unix)]
fn code(status: ChildStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(not(unix))]
fn code(status: ChildStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
