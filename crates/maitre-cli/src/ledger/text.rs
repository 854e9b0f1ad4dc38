//! Text and JSON of the ledger's views.

use comfy_table::Table;
use maitre_ledger::{ActionView, JobView, OperationState, OperationView};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::output::borderless;

/// Formats a time as in `2026-03-04T05:06:07Z`.
pub(super) fn time(at: OffsetDateTime) -> String {
    at.truncate_to_second().format(&Rfc3339).unwrap_or_default()
}

pub(super) fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "–".to_owned(), clean)
}

/// Escapes control characters, so that stored text cannot change the terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

pub(super) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    borderless(&mut table)
}

/// Describes an operation in one line.
pub(super) fn operation_line(operation: &OperationView) -> String {
    let plan = operation.plan.as_deref().map_or(String::new(), |plan| format!(" {}", clean(plan)));
    let attempts =
        if operation.attempt == 1 { "1 attempt".to_owned() } else { format!("{} attempts", operation.attempt) };
    let state = match operation.state {
        OperationState::Open if operation.is_notification_pending => "open, notification pending".to_owned(),
        state => state.to_string(),
    };
    format!("operation {}: {}{plan}, {state} after {attempts}", operation.id, operation.kind)
}

/// Describes a job in one line.
pub(super) fn job_line(job: &JobView) -> String {
    let attempts = if job.attempt == 1 { "1 attempt".to_owned() } else { format!("{} attempts", job.attempt) };
    format!("job {}: {}, {} after {attempts}", job.id, clean(&job.kind), job.state)
}

/// Describes an action in one line.
pub(super) fn action_line(action: &ActionView) -> String {
    let object = match (action.operation, action.job) {
        (Some(operation), _) => format!(" of operation {operation}"),
        (None, Some(job)) => format!(" of job {job}"),
        (None, None) => String::new(),
    };
    let reason = action.reason.as_deref().map_or(String::new(), |reason| format!(": {}", clean(reason)));
    format!("{}{object} by {}{reason}", action.kind, clean(&action.operator))
}

pub(super) fn operation_json(operation: &OperationView) -> Value {
    json!({
        "id": operation.id,
        "kind": operation.kind.as_str(),
        "state": operation.state.as_str(),
        "plan": operation.plan,
        "attempt": operation.attempt,
        "last_error": operation.last_error,
        "progress": operation.progress,
        "requested_at": time(operation.requested_at),
        "accepted_at": operation.accepted_at.map(time),
        "notification_pending": operation.is_notification_pending,
        "finished_at": operation.finished_at.map(time),
        "scheduled_at": time(operation.scheduled_at),
    })
}

pub(super) fn job_json(job: &JobView) -> Value {
    json!({
        "id": job.id,
        "addon": job.addon.to_string(),
        "kind": job.kind,
        "resource": job.resource,
        "state": job.state.as_str(),
        "attempt": job.attempt,
        "last_error": job.last_error,
        "created_at": time(job.created_at),
        "scheduled_at": time(job.scheduled_at),
        "finished_at": job.finished_at.map(time),
    })
}

pub(super) fn action_json(action: &ActionView) -> Value {
    json!({
        "kind": action.kind.as_str(),
        "operator": action.operator,
        "reason": action.reason,
        "operation": action.operation,
        "job": action.job,
        "created_at": time(action.created_at),
    })
}
