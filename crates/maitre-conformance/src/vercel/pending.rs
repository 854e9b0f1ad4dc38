//! Resources that are pending when a provision is answered.

use super::citation::{practice, reference};
use super::rules;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::verdict::{Stop, Verdict};

const PENDING: Citation =
    reference("status may be pending; when the resource is ready, PATCH it, or send resource.updated");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.pending.read", "A pending resource can be read.", PENDING, |target| Box::pin(read(target))),
    Case::should(
        "vercel.pending.repeated",
        "A repeated provision of a pending resource has the same id and secrets.",
        practice("the first answer may have been lost"),
        |target| Box::pin(repeated(target)),
    ),
    Case::must("vercel.pending.reported", "Vercel is notified when a pending resource is ready.", PENDING, |target| {
        Box::pin(reported(target))
    }),
    Case::should(
        "vercel.pending.completes",
        "A read shows that a pending resource is ready.",
        practice("Vercel reads the resource after an event, and when its page is shown"),
        |target| Box::pin(completes(target)),
    ),
];

/// Provisions a resource; skips the check if it is ready immediately.
async fn pending(target: &Target, key: &str) -> Result<Resource, Stop> {
    let installation = target.installed().await?;
    let call = target.provision(&installation).header("idempotency-key", key);
    let resource = target.resource_by(&installation, call).await?;
    if resource.body["status"] == "pending" {
        return Ok(resource);
    }
    Err(Stop::skipped("resources of the add-on are ready immediately"))
}

async fn read(target: &Target) -> Verdict {
    let resource = pending(target, "p-1").await?;
    let response = target.wire.send(target.read(&resource)).await?.to("a read of a pending resource");
    response.must_be(&[200], "Answer 200 with the resource and its status.")?;
    rules::resource(&response).map(drop)
}

async fn repeated(target: &Target) -> Verdict {
    let resource = pending(target, "p-2").await?;
    let call = target.provision(&resource.installation).header("idempotency-key", "p-2");
    let response = target.wire.send(call).await?.to("a repeated provision of a pending resource");
    let advice = "Answer a repetition with the id and the secrets of the first answer.";
    response.must_be(rules::PROVISIONED, advice)?;
    let body = response.json().unwrap_or_default();
    let known = |body: &serde_json::Value| (body["id"].clone(), rules::secrets(&body["secrets"]).ok());
    let ((id, secrets), (first_id, first)) = (known(&body), known(&resource.body));
    // the secrets may have become more since
    let keeps = first.is_some_and(|first| {
        first.iter().all(|(name, value)| secrets.as_ref().is_some_and(|all| all.get(name) == Some(value)))
    });
    if id == first_id && (keeps || body["status"] != "pending") {
        return Ok(());
    }
    Err(response.fault("The repeated provision has another id or other secrets.", advice))
}

async fn reported(target: &Target) -> Verdict {
    let resource = pending(target, "p-3").await?;
    let Resource { installation, id, .. } = &resource;
    let is_reported = || {
        let status = target.platform.resource(installation, id).map(|known| known["status"].clone());
        let has_event = target.platform.events(installation).iter().any(|event| event["resourceId"] == id.as_str());
        has_event || status.is_some_and(|status| status != "pending")
    };
    if target.eventually(async || Ok(is_reported())).await? {
        return Ok(());
    }
    let response = target.wire.send(target.read(&resource)).await?;
    Err(response.fault(
        "Neither a new status nor an event arrived at Vercel's API.",
        "When the resource is ready, PATCH /v1/installations/{id}/resources/{id}, or POST the event resource.updated.",
    ))
}

async fn completes(target: &Target) -> Verdict {
    let resource = pending(target, "p-4").await?;
    let is_ready = async || {
        let response = target.wire.send(target.read(&resource)).await?;
        Ok(response.json().unwrap_or_default()["status"] != "pending")
    };
    if target.eventually(is_ready).await? {
        return Ok(());
    }
    let response = target.wire.send(target.read(&resource)).await?;
    Err(response.fault("The resource is still pending.", "Answer a read with the current status."))
}
