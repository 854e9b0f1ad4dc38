//! Deprovisions.

use super::citation;
use super::rules;
use super::target::Target;
use super::update::change_plan;
use crate::check::{Capability, Case, Citation};
use crate::verdict::{Stop, Verdict};

const MANDATORY: Citation = citation::deprovisioning("400 must be returned if the request is missing mandatory data");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.deprovision.succeeds",
        "A deprovision is answered 200, or 202 if the platform accepts it.",
        citation::deprovisioning(
            "200 if the instance was deleted, 202 if this is in progress; any other status is a failure",
        ),
        |target| Box::pin(succeeds(target)),
    ),
    Case::must(
        "osb.deprovision.body",
        "The response to a deprovision is a JSON object.",
        citation::deprovisioning("the expected response body is {}"),
        |target| Box::pin(body(target)),
    ),
    Case::must(
        "osb.deprovision.repeated",
        "A repeated deprovision is answered 410.",
        citation::deprovisioning("410 must be returned if the instance does not exist"),
        |target| Box::pin(repeated(target)),
    ),
    Case::must(
        "osb.deprovision.missing-service",
        "A deprovision without service_id is answered 400.",
        MANDATORY,
        |target| Box::pin(missing(target, "service_id")),
    ),
    Case::must("osb.deprovision.missing-plan", "A deprovision without plan_id is answered 400.", MANDATORY, |target| {
        Box::pin(missing(target, "plan_id"))
    }),
    Case::must(
        "osb.deprovision.refused-is-not-done",
        "A deprovision that is answered 400 does not delete the instance.",
        citation::errors("a 4xx must result in the broker's resources being semantically unchanged"),
        |target| Box::pin(refused_is_not_done(target)),
    ),
    Case::must(
        "osb.deprovision.synchronous",
        "A deprovision without accepts_incomplete=true is answered 200, or 422 AsyncRequired.",
        citation::asynchronous("without accepts_incomplete=true, a broker must reject with 422 AsyncRequired"),
        |target| Box::pin(synchronous(target)),
    ),
    Case::must(
        "osb.deprovision.leaves-others",
        "A deprovision does not affect other instances.",
        citation::deprovisioning("a broker deletes the resources that it created during the provision"),
        |target| Box::pin(leaves_others(target)),
    ),
    Case::must(
        "osb.deprovision.after-update",
        "An instance can be deprovisioned after a change of plan.",
        citation::deprovisioning("plan_id is the plan that is associated with the instance"),
        |target| Box::pin(after_update(target)),
    )
    .needs(&[Capability::PlanChange, Capability::SecondPlan]),
    Case::should(
        "osb.deprovision.with-bindings",
        "A deprovision of an instance with a binding causes no server error.",
        citation::deprovisioning("the specification does not specify what a broker is to do"),
        |target| Box::pin(with_bindings(target)),
    )
    .needs(&[Capability::Bindings]),
];

async fn succeeds(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.osb.deprovision(&instance)).await?;
    let advice = "Answer 200 with {}: platforms read every other success, such as 204, as a failure.";
    response.must_be(&[200, 202], advice).map(drop)
}

async fn body(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.osb.deprovision(&instance)).await?;
    if !response.is_success() {
        let status = response.status();
        return Err(Stop::skipped(format!("a DELETE is answered {status} (see osb.deprovision.succeeds)")));
    }
    rules::has_valid_operation(&response).map(drop)
}

async fn repeated(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    target.remove(&instance).await?;
    let response = target.wire.send(target.osb.deprovision(&instance)).await?.to("a repeated deprovision");
    response
        .must_be(&[410], "Answer 410 with {} if the instance no longer exists: platforms repeat a DELETE.")
        .map(drop)
}

async fn missing(target: &Target, field: &str) -> Verdict {
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.osb.deprovision(&instance).without_query(field)).await?;
    rules::is_bad_request(&response, &format!("Answer 400 with a description if the query has no {field}."))
}

async fn refused_is_not_done(target: &Target) -> Verdict {
    target.require_delete().await?;
    let instance = target.new_instance().await?;
    let refused = target.wire.send(target.osb.deprovision(&instance).without_query("plan_id")).await?;
    if refused.is_success() {
        return Err(Stop::skipped("a DELETE without plan_id succeeds (see osb.deprovision.missing-plan)"));
    }
    let response = target.wire.send(target.osb.deprovision(&instance)).await?.to("a DELETE after a refused one");
    response.must_be(&[200, 202], "Check the parameters before anything is deleted.").map(drop)
}

async fn synchronous(target: &Target) -> Verdict {
    target.require_delete().await?;
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.osb.deprovision(&instance).accepts_incomplete(false)).await?;
    rules::is_synchronous(&response, &[200])
}

async fn leaves_others(target: &Target) -> Verdict {
    let (one, other) = (target.new_instance().await?, target.new_instance().await?);
    target.remove(&one).await?;
    let response = target.wire.send(target.osb.deprovision(&other)).await?.to("a DELETE of another instance");
    response.must_be(&[200, 202], "Delete only the instance that the path names.").map(drop)
}

async fn after_update(target: &Target) -> Verdict {
    target.require_delete().await?;
    let instance = target.new_instance().await?;
    let plan = target.other_plan()?;
    change_plan(target, &instance, plan).await?;
    let response = target.wire.send(target.osb.deprovision(&instance.with_plan(plan))).await?;
    response.to("a DELETE after a change of plan").must_be(&[200, 202], "A DELETE must work in every state.").map(drop)
}

async fn with_bindings(target: &Target) -> Verdict {
    target.require_delete().await?;
    let instance = target.new_instance().await?;
    target.new_binding(&instance).await?;
    let response = target.wire.send(target.osb.deprovision(&instance)).await?;
    rules::is_handled(&response)
}
