//! Consumption reports, each sent at most once.

use maitre_core::{AddonId, Failure, Job, PlatformStore, ResourceId, Result};
use maitre_platform::Error;
use serde::Deserialize;
use serde_json::json;

use crate::client::Client;

/// Kind of the jobs that send reports. The name is stored in the ledger, so it must not change.
pub(crate) const JOB: &str = "consumption";

/// Stored values: a report may have been sent, or was not received.
const SENT: &[u8] = b"sent";
const NOT_SENT: &[u8] = b"not sent";

#[derive(Deserialize)]
struct Payload {
    report: String,
    cost_in_cents: u32,
}

/// Returns the job that sends a report.
pub(crate) fn job(resource: &ResourceId, report: &str, cost_in_cents: u32) -> Job {
    let payload = json!({ "report": report, "cost_in_cents": cost_in_cents });
    Job::new(JOB, format!("{resource}:{report}"), payload.to_string().into_bytes()).with_resource(resource.clone())
}

/// Sends a report, unless an earlier run may have sent it.
///
/// The ledger may run a job again, so the store says before the call that it is made. Clever Cloud cannot be asked whether it
/// has received a report.
pub(crate) async fn run(
    client: &Client,
    store: &dyn PlatformStore,
    addon: &AddonId,
    resource: &ResourceId,
    job: &Job,
) -> Result<()> {
    let Payload { report, cost_in_cents } = serde_json::from_slice(&job.payload)?;
    let name = format!("{JOB}:{report}");
    let (version, is_sent) = match store.read(addon, resource, &name).await? {
        Some(stored) => (stored.version, stored.value == SENT),
        None => (0, false),
    };
    if is_sent || !store.write(addon, resource, &name, SENT, version).await? {
        let advice = "compare with Clever Cloud's bill before you report it again";
        return Err(Failure::refused(format!("the report {report} of {resource} may have been received: {advice}")));
    }
    let Err(error) = client.report_consumption(resource.as_str(), cost_in_cents).await else {
        return Ok(());
    };
    if error.is_connect() || matches!(error.status(), Some(300..500)) {
        // not received
        store.write(addon, resource, &name, NOT_SENT, version + 1).await?;
        return Err(Error::from(error).into_failure());
    }
    Err(Failure::refused(format!("the report {report} of {resource} may have been received: {error}")))
}
