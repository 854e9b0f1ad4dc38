//! Deprovisions.

use serde_json::Value;

use super::citation::{practice, reference};
use super::skip_unless_ok;
use super::target::{Resource, Target};
use crate::check::{Case, Citation};
use crate::verdict::{Stop, Verdict};

const DELETE: Citation = reference("DELETE of a resource is 204, without a body");
const REPEATED: Citation = practice("a repeated deprovision is 204, or 404");

const ADVICE: &str = "Answer 204: the resource is gone, as requested.";

/// Number of concurrent deprovisions.
const MANY: usize = 4;

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.deprovision.succeeds", "A deprovision is answered 204.", DELETE, |target| {
        Box::pin(succeeds(target))
    }),
    Case::must("vercel.deprovision.removes", "A deprovisioned resource no longer exists.", DELETE, |target| {
        Box::pin(removes(target))
    }),
    Case::must("vercel.deprovision.keeps-others", "A deprovision keeps the other resources.", DELETE, |target| {
        Box::pin(keeps_others(target))
    }),
    Case::should("vercel.deprovision.repeated", "A repeated deprovision is answered 204 or 404.", REPEATED, |target| {
        Box::pin(repeated(target))
    }),
    Case::should(
        "vercel.deprovision.unknown",
        "A deprovision of an unknown resource is 204 or 404.",
        REPEATED,
        |target| Box::pin(unknown(target)),
    ),
    Case::should(
        "vercel.deprovision.concurrent",
        "Concurrent deprovisions cause no server error.",
        REPEATED,
        |target| Box::pin(concurrent(target)),
    ),
    Case::should(
        "vercel.deprovision.changed",
        "A changed resource is deprovisioned.",
        practice("a deprovision is legal in every state"),
        |target| Box::pin(changed(target)),
    ),
];

/// Deprovisions a resource; skips the check if that fails.
pub(super) async fn deprovisioned(target: &Target, resource: &Resource) -> Result<(), Stop> {
    let response = target.wire.send(target.deprovision(resource)).await?;
    skip_unless_ok(&response, "a deprovision", "deprovision.succeeds")
}

async fn succeeds(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.wire.send(target.deprovision(&resource)).await?;
    response.must_be(&[204], "Answer 204 without a body.").map(drop)
}

async fn removes(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    deprovisioned(target, &resource).await?;
    target.must_exist(&resource, false, "after its deprovision").await
}

async fn keeps_others(target: &Target) -> Verdict {
    let first = target.new_resource().await?;
    let second = target.resource_of(&first.installation).await?;
    deprovisioned(target, &first).await?;
    target.must_exist(&second, true, "after the deprovision of another resource").await
}

async fn repeated(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    deprovisioned(target, &resource).await?;
    let response = target.wire.send(target.deprovision(&resource)).await?.to("a repeated deprovision");
    response.must_be(&[204, 404], ADVICE).map(drop)
}

async fn unknown(target: &Target) -> Verdict {
    let Resource { installation, .. } = target.new_resource().await?;
    let unknown = Resource { installation, id: "an-unknown-resource".to_owned(), body: Value::Null };
    target.wire.send(target.deprovision(&unknown)).await?.must_be(&[204, 404], ADVICE).map(drop)
}

async fn concurrent(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    for response in target.wire.send_all((0..MANY).map(|_| target.deprovision(&resource))).await? {
        response.to("one of several concurrent deprovisions").must_be(&[204, 404, 409], ADVICE)?;
    }
    target.must_exist(&resource, false, "after concurrent deprovisions").await
}

async fn changed(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let response = target.wire.send(target.rename(&resource, "renamed")).await?;
    skip_unless_ok(&response, "a new name", "update.name")?;
    let response = target.wire.send(target.deprovision(&resource)).await?.to("a deprovision after a change");
    response.must_succeed("204", "Deprovision the resource in every state.")?;
    target.must_exist(&resource, false, "after its change and its deprovision").await
}
