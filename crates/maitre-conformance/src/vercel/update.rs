//! Changes of a resource.

use serde_json::Value;

use super::citation::{practice, reference};
use super::deprovision::deprovisioned;
use super::rules;
use super::target::{Resource, Target};
use super::{skip_if_absent, skip_unless_ok};
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const CHANGE: Citation = reference("200 with the resource, in its new state");
const VALIDATION: Citation = reference("400 if the plan is wrong");
const ABSOLUTE: Citation = practice("a change names the new state, so a repetition is harmless");
const GONE: Citation = practice("404 to a change of a resource that does not exist");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must("vercel.update.name", "A new name is answered 200.", CHANGE, |target| Box::pin(name(target))),
    Case::must("vercel.update.new-state", "The response has the new name.", CHANGE, |target| {
        Box::pin(new_state(target))
    }),
    Case::must("vercel.update.keeps-plan", "A new name keeps the plan.", CHANGE, |target| Box::pin(keeps_plan(target))),
    Case::must("vercel.update.no-secrets", "The response has no secrets.", NO_SECRETS, |target| {
        Box::pin(no_secrets(target))
    }),
    Case::must("vercel.update.plan", "Another plan is answered 200, with the plan.", CHANGE, |target| {
        Box::pin(plan(target))
    })
    .needs(&[Capability::SecondPlan]),
    Case::must("vercel.update.read-back", "A read after a change has the new plan.", CHANGE, |target| {
        Box::pin(read_back(target))
    })
    .needs(&[Capability::SecondPlan]),
    Case::should("vercel.update.repeated", "A repeated change succeeds.", ABSOLUTE, |target| {
        Box::pin(repeated(target))
    })
    .needs(&[Capability::SecondPlan]),
    Case::should("vercel.update.empty", "A change without fields succeeds.", EMPTY, |target| Box::pin(empty(target))),
    Case::must("vercel.update.unknown-plan", "An unknown plan is answered 400.", VALIDATION, |target| {
        Box::pin(unknown_plan(target))
    }),
    Case::should(
        "vercel.update.all-or-nothing",
        "A refused change has no effect.",
        practice("a change of several fields is done completely or not at all"),
        |target| Box::pin(all_or_nothing(target)),
    ),
    Case::should("vercel.update.unknown", "A change of an unknown resource is answered 404.", GONE, |target| {
        Box::pin(unknown(target))
    }),
    Case::should("vercel.update.removed", "A change of a removed resource is a client error.", GONE, |target| {
        Box::pin(removed(target))
    }),
];

const NO_SECRETS: Citation = reference("secrets are in the response to a provision only");
const EMPTY: Citation = reference("all fields are optional");

/// Returns a resource whose name can be changed, and the response to a new name.
async fn renamed(target: &Target) -> Result<(Resource, Response), Stop> {
    let resource = target.new_resource().await?;
    let response = target.wire.send(target.rename(&resource, "renamed")).await?;
    skip_if_absent(&response, "changes of a resource")?;
    Ok((resource, response))
}

async fn changeable(target: &Target) -> Result<Resource, Stop> {
    let (resource, response) = renamed(target).await?;
    skip_unless_ok(&response, "a new name", "update.name")?;
    Ok(resource)
}

/// Returns a resource on the second plan, and the response to the change.
async fn changed(target: &Target) -> Result<(Resource, Response), Stop> {
    let resource = changeable(target).await?;
    let response = target.wire.send(target.update(&resource, target.other_plan())).await?;
    Ok((resource, response))
}

fn must_have_plan(response: &Response, plan: &str) -> Verdict {
    let sent = response.json().unwrap_or_default()["billingPlan"]["id"].clone();
    if sent == plan || sent == Value::Null {
        return Ok(());
    }
    Err(response.fault(format!("The plan is not {plan}."), "Answer with the state after the change."))
}

async fn name(target: &Target) -> Verdict {
    renamed(target).await?.1.must_be(&[200], "Record the new name, and answer 200.").map(drop)
}

async fn new_state(target: &Target) -> Verdict {
    let (_, response) = renamed(target).await?;
    skip_unless_ok(&response, "a new name", "update.name")?;
    if rules::resource(&response)?.get("name").is_some_and(|name| name == "renamed") {
        return Ok(());
    }
    Err(response.fault("The response has the old name.", "Answer with the state after the change."))
}

async fn keeps_plan(target: &Target) -> Verdict {
    let (_, response) = renamed(target).await?;
    skip_unless_ok(&response, "a new name", "update.name")?;
    must_have_plan(&response, target.plan())
}

async fn no_secrets(target: &Target) -> Verdict {
    let (_, response) = renamed(target).await?;
    skip_unless_ok(&response, "a new name", "update.name")?;
    rules::has_no_secrets(&response)
}

async fn plan(target: &Target) -> Verdict {
    let (_, response) = changed(target).await?;
    response.must_be(&[200], "Change the plan, and answer 200 with the resource.")?;
    must_have_plan(&response, target.other_plan())
}

async fn read_back(target: &Target) -> Verdict {
    let (resource, response) = changed(target).await?;
    skip_unless_ok(&response, "a change of the plan", "update.plan")?;
    let read = target.wire.send(target.read(&resource)).await?;
    skip_unless_ok(&read, "a read", "resource.read")?;
    must_have_plan(&read.to("a read after a change"), target.other_plan())
}

async fn repeated(target: &Target) -> Verdict {
    let (resource, response) = changed(target).await?;
    skip_unless_ok(&response, "a change of the plan", "update.plan")?;
    let response = target.wire.send(target.update(&resource, target.other_plan())).await?;
    response.to("a repeated change").must_be(&[200], "Answer 200: the resource has this plan.").map(drop)
}

async fn empty(target: &Target) -> Verdict {
    let resource = changeable(target).await?;
    let response = target.wire.send(target.update(&resource, target.plan()).without("billingPlanId")).await?;
    response.must_be(&[200], "Answer 200 with the resource: nothing changes.").map(drop)
}

async fn unknown_plan(target: &Target) -> Verdict {
    let resource = changeable(target).await?;
    let response = target.wire.send(target.update(&resource, "an-unknown-plan")).await?;
    response.must_be(&[400], "Answer 400.").map(drop)
}

async fn all_or_nothing(target: &Target) -> Verdict {
    let resource = changeable(target).await?;
    let refused = target.wire.send(target.update(&resource, "an-unknown-plan").set("name", "another name")).await?;
    if refused.is_success() {
        return Err(Stop::skipped("an unknown plan is accepted (see vercel.update.unknown-plan)"));
    }
    let read = target.wire.send(target.read(&resource)).await?;
    skip_unless_ok(&read, "a read", "resource.read")?;
    if read.json().unwrap_or_default()["name"] != "another name" {
        return Ok(());
    }
    Err(read.fault("The name of a refused change is recorded.", "Check all fields before the first one is changed."))
}

async fn unknown(target: &Target) -> Verdict {
    let Resource { installation, .. } = changeable(target).await?;
    let unknown = Resource { installation, id: "an-unknown-resource".to_owned(), body: Value::Null };
    target.wire.send(target.rename(&unknown, "renamed")).await?.must_be(&[404], "Answer 404.").map(drop)
}

async fn removed(target: &Target) -> Verdict {
    let resource = changeable(target).await?;
    deprovisioned(target, &resource).await?;
    let response = target.wire.send(target.rename(&resource, "renamed again")).await?;
    response.to("a change of a removed resource").must_be_refused("Answer 404.")
}
