//! `maitre ledger parked`

use clap::Args;
use maitre_ledger::{JobView, ParkedOperation};
use serde_json::json;

use super::text::{clean, job_json, job_line, operation_json, operation_line};
use super::{CommonArgs, OutputFormat};
use crate::color::Palette;
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;

/// Lists parked operations and jobs, which an operator has to decide about. The exit status is 1 if there are any
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger parked
  maitre ledger parked --format json")]
pub(super) struct Parked {
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

impl Parked {
    pub(super) async fn run(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        let ledger = self.common.database.open().await?;
        let (operations, jobs) = (ledger.parked_operations().await?, ledger.parked_jobs().await?);
        ledger.close().await;
        match self.common.format {
            OutputFormat::Json => {
                let operation = |parked: &ParkedOperation| {
                    let mut object = operation_json(&parked.operation);
                    object["addon"] = parked.addon.to_string().into();
                    object["key"] = parked.key.as_str().into();
                    object
                };
                let operations: Vec<_> = operations.iter().map(operation).collect();
                let jobs: Vec<_> = jobs.iter().map(job_json).collect();
                println_ignoring_pipe!("{}", json!({ "operations": operations, "jobs": jobs }));
            }
            OutputFormat::Human if operations.is_empty() && jobs.is_empty() => {
                println_ignoring_pipe!("Nothing is parked.");
            }
            OutputFormat::Human => print(&operations, &jobs, palette),
        }
        let is_empty = operations.is_empty() && jobs.is_empty();
        Ok(if is_empty { ExitStatus::Success } else { ExitStatus::ProblemsFound })
    }
}

fn print(operations: &[ParkedOperation], jobs: &[JobView], palette: Palette) {
    let entry = |resource: String, line: String, error: Option<&str>| {
        println_ignoring_pipe!("{}\n  {line}", palette.bold(&resource));
        if let Some(error) = error {
            println_ignoring_pipe!("  last error: {}", clean(error));
        }
    };
    for ParkedOperation { addon, key, operation, .. } in operations {
        entry(format!("{addon} {}", clean(key)), operation_line(operation), operation.last_error.as_deref());
    }
    for job in jobs {
        let resource = job.resource.as_deref().map_or(String::new(), |key| format!(" {}", clean(key)));
        entry(format!("{}{resource}", job.addon), job_line(job), job.last_error.as_deref());
    }
}
