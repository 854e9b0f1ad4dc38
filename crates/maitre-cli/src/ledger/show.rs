//! `maitre ledger show`

use clap::Args;
use maitre_core::AddonId;
use maitre_ledger::{OperationState, ResourceView};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::text::{
    action_json, action_line, clean, job_json, job_line, operation_json, operation_line, optional, time,
};
use super::{CommonArgs, OutputFormat, find};
use crate::color::Palette;
use crate::exit::ExitStatus;
use crate::output::println_ignoring_pipe;

/// Shows a resource: its operations and jobs with their errors and next attempts, and what operators did
#[derive(Args)]
#[command(after_help = "Examples:
  maitre ledger show 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21
  maitre ledger show 7b0c9c1e-2f1d-4c58-9a57-3f6a5c0d1e21 --format json")]
pub(super) struct Show {
    /// Key or provider id of the resource
    key: String,
    /// Add-on to which the resource must belong
    #[arg(long, value_name = "MARKETPLACE/SLUG")]
    addon: Option<AddonId>,
    #[command(flatten)]
    pub(super) common: CommonArgs,
}

impl Show {
    pub(super) async fn run(&self, palette: Palette) -> anyhow::Result<ExitStatus> {
        let ledger = self.common.database.open().await?;
        let resource = find(&ledger, &self.key, self.addon.as_ref()).await;
        ledger.close().await;
        let resource = resource?;
        match self.common.format {
            OutputFormat::Json => println_ignoring_pipe!("{}", object(&resource)),
            OutputFormat::Human => print(&resource, palette),
        }
        Ok(ExitStatus::Success)
    }
}

fn print(resource: &ResourceView, palette: Palette) {
    println_ignoring_pipe!("{}", palette.bold(&format!("{} {}", resource.addon, clean(&resource.key))));
    println_ignoring_pipe!("state        {}", resource.state);
    println_ignoring_pipe!("plan         {}", optional(resource.plan.as_deref()));
    println_ignoring_pipe!("provider id  {}", optional(resource.provider_id.as_deref().or(Some(&resource.key))));
    println_ignoring_pipe!("created      {}", time(resource.created_at));
    println_ignoring_pipe!();
    for (at, lines) in timeline(resource) {
        println_ignoring_pipe!("{}  {}", palette.dim(&time(at)), lines.join("\n                      "));
    }
}

/// Returns what happened to a resource, in order, with the lines of each entry.
fn timeline(resource: &ResourceView) -> Vec<(OffsetDateTime, Vec<String>)> {
    let details = |error: Option<&str>, state: OperationState, next: OffsetDateTime| {
        let error = error.map(|error| format!("last error: {}", clean(error)));
        let next = (state == OperationState::Open).then(|| format!("next attempt: {}", time(next)));
        error.into_iter().chain(next)
    };
    let operations = resource.timeline.iter().map(|operation| {
        let progress = operation.progress.as_deref().map(|progress| format!("progress: {}", clean(progress)));
        let more = details(operation.last_error.as_deref(), operation.state, operation.scheduled_at);
        let lines = std::iter::once(operation_line(operation)).chain(progress).chain(more);
        (operation.requested_at, lines.collect())
    });
    let jobs = resource.jobs.iter().map(|job| {
        let more = details(job.last_error.as_deref(), job.state, job.scheduled_at);
        (job.created_at, std::iter::once(job_line(job)).chain(more).collect())
    });
    let actions = resource.actions.iter().map(|action| (action.created_at, vec![action_line(action)]));
    let mut timeline: Vec<_> = operations.chain(jobs).chain(actions).collect();
    timeline.sort_by_key(|(at, _)| *at);
    timeline
}

fn object(resource: &ResourceView) -> Value {
    json!({
        "addon": resource.addon.to_string(),
        "key": resource.key,
        "provider_id": resource.provider_id,
        "state": resource.state.as_str(),
        "plan": resource.plan,
        "created_at": time(resource.created_at),
        "operations": resource.timeline.iter().map(operation_json).collect::<Vec<_>>(),
        "jobs": resource.jobs.iter().map(job_json).collect::<Vec<_>>(),
        "actions": resource.actions.iter().map(action_json).collect::<Vec<_>>(),
    })
}
