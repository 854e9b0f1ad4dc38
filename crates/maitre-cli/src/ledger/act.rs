//! `maitre ledger retry`, `abandon`, `deprovision` and `erase`: actions that are recorded with operator and reason.

use clap::{ArgGroup, Args};
use maitre_core::AddonId;
use maitre_ledger::{Ledger, Operator};
use serde_json::json;

use super::{CommonArgs, OutputFormat, find};
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;

/// Author of an action.
#[derive(Args)]
struct AuthorArgs {
    /// Reason of the action, for the timeline
    #[arg(long, value_name = "TEXT")]
    reason: String,

    #[command(flatten)]
    operator: OperatorArgs,
}

/// Name of an operator.
#[derive(Args)]
pub(super) struct OperatorArgs {
    /// Name of the operator, for the timeline
    #[arg(long = "operator", value_name = "NAME", env = "MAITRE_OPERATOR", default_value_t = user())]
    pub(super) name: String,
}

/// Returns the name of the user who runs the command.
fn user() -> String {
    let names = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"];
    let name = names.into_iter().filter_map(|name| std::env::var(name).ok()).find(|name| !name.is_empty());
    name.unwrap_or_else(|| "unknown".to_owned())
}

impl AuthorArgs {
    fn operator(&self, ledger: &Ledger) -> Operator {
        ledger.operator(&self.operator.name).with_reason(&self.reason)
    }
}

/// Operation or job.
#[derive(Args)]
#[command(group(ArgGroup::new("target").required(true)))]
struct WorkArgs {
    /// Id of the operation
    #[arg(group = "target")]
    operation: Option<i64>,

    /// Id of a job, in place of an operation
    #[arg(long, value_name = "ID", group = "target")]
    job: Option<i64>,
}

/// Retries an operation or a job now, in a process with a worker
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger retry 12 --reason 'the cluster is back'
  maitre ledger retry --job 3 --reason 'the event handler is fixed'")]
pub(super) struct Retry {
    #[command(flatten)]
    work: WorkArgs,
    #[command(flatten)]
    author: AuthorArgs,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// Abandons a parked operation or job: it stays in the timeline and is not retried
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger abandon 12 --reason 'the customer has left'
  maitre ledger abandon --job 3 --reason 'the grant has expired'")]
pub(super) struct Abandon {
    #[command(flatten)]
    work: WorkArgs,
    #[command(flatten)]
    author: AuthorArgs,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// Requests the deprovision of a resource that its marketplace no longer knows. A process with a worker runs it
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger deprovision 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --reason orphan")]
pub(super) struct Deprovision {
    #[command(flatten)]
    resource: ResourceArgs,
    #[command(flatten)]
    author: AuthorArgs,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// Erases a deprovisioned resource: all but its key, so that it cannot be provisioned again
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger erase 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --reason 'request 7'")]
pub(super) struct Erase {
    #[command(flatten)]
    resource: ResourceArgs,
    #[command(flatten)]
    author: AuthorArgs,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

/// Resource.
#[derive(Args)]
struct ResourceArgs {
    /// Key or provider id of the resource
    key: String,
    /// Add-on to which the resource must belong
    #[arg(long, value_name = "MARKETPLACE/SLUG")]
    addon: Option<AddonId>,
}

impl Retry {
    pub(super) async fn run(&self) -> anyhow::Result<ExitStatus> {
        let ledger = self.common.database.open().await?;
        let operator = self.author.operator(&ledger);
        let changed = match self.work {
            WorkArgs { operation: Some(operation), .. } => operator.retry(operation).await?,
            WorkArgs { job, .. } => operator.retry_job(job.unwrap_or_default()).await?,
        };
        ledger.close().await;
        let (object, done) = (self.work.to_string(), "is due now");
        Ok(report(self.common.format, &object, changed, done, "is not open or parked, or is running"))
    }
}

impl Abandon {
    pub(super) async fn run(&self) -> anyhow::Result<ExitStatus> {
        let ledger = self.common.database.open().await?;
        let operator = self.author.operator(&ledger);
        let changed = match self.work {
            WorkArgs { operation: Some(operation), .. } => operator.abandon(operation).await?,
            WorkArgs { job, .. } => operator.abandon_job(job.unwrap_or_default()).await?,
        };
        ledger.close().await;
        Ok(report(self.common.format, &self.work.to_string(), changed, "is abandoned", "is not parked"))
    }
}

impl Deprovision {
    pub(super) async fn run(&self) -> anyhow::Result<ExitStatus> {
        let ledger = self.common.database.open().await?;
        let resource = find(&ledger, &self.resource.key, self.resource.addon.as_ref()).await?;
        let changed = self.author.operator(&ledger).deprovision(&resource.addon, &resource.key).await?;
        ledger.close().await;
        let object = format!("{} {}", resource.addon, resource.key);
        let (done, unchanged) = ("is being deprovisioned", "is being deprovisioned already, or is gone");
        Ok(report(self.common.format, &object, changed, done, unchanged))
    }
}

impl Erase {
    pub(super) async fn run(&self) -> anyhow::Result<ExitStatus> {
        let ledger = self.common.database.open().await?;
        let resource = find(&ledger, &self.resource.key, self.resource.addon.as_ref()).await?;
        let changed = self.author.operator(&ledger).erase(&resource.addon, &resource.key).await?;
        ledger.close().await;
        let object = format!("{} {}", resource.addon, resource.key);
        Ok(report(self.common.format, &object, changed, "is erased", "is not deprovisioned"))
    }
}

impl std::fmt::Display for WorkArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.operation, self.job) {
            (Some(operation), _) => write!(f, "operation {operation}"),
            (None, job) => write!(f, "job {}", job.unwrap_or_default()),
        }
    }
}

/// Prints what happened to `object`. It is a problem if nothing has changed.
fn report(format: OutputFormat, object: &str, changed: bool, done: &str, unchanged: &str) -> ExitStatus {
    match format {
        OutputFormat::Json => println_ignoring_pipe!("{}", json!({ "changed": changed })),
        OutputFormat::Human if changed => println_ignoring_pipe!("{object} {done}"),
        OutputFormat::Human => println_ignoring_pipe!("nothing changed: {object} {unchanged}"),
    }
    if changed { ExitStatus::Success } else { ExitStatus::ProblemsFound }
}
