//! Updates.

use maitre_testkit::osb::InstanceId;
use serde_json::json;

use super::citation;
use super::rules;
use super::target::{Polled, Target};
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const UPDATE: &[Capability] = &[Capability::PlanChange];
const OTHER_PLAN: &[Capability] = &[Capability::PlanChange, Capability::SecondPlan];
const FETCHED: &[Capability] = &[Capability::PlanChange, Capability::SecondPlan, Capability::FetchInstance];

const STATUS: Citation = citation::updating("200 if the changes have been applied, 202 if the update is in progress");

const ADVICE: &str = "Answer 200 with {} if the update is done, or 202 if the platform accepts it.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "osb.update.succeeds",
        "A change to another plan succeeds if the plan is plan_updateable.",
        STATUS,
        |target| Box::pin(succeeds(target)),
    )
    .needs(OTHER_PLAN),
    Case::must(
        "osb.update.body",
        "The response to an update is a JSON object.",
        citation::updating("the expected response body is {}"),
        |target| Box::pin(body(target)),
    )
    .needs(UPDATE),
    Case::must(
        "osb.update.synchronous",
        "An update without accepts_incomplete=true is answered 200, or 422 AsyncRequired.",
        citation::asynchronous("without accepts_incomplete=true, a broker must reject with 422 AsyncRequired"),
        |target| Box::pin(synchronous(target)),
    )
    .needs(OTHER_PLAN),
    Case::should("osb.update.same-plan", "A change to the current plan succeeds.", STATUS, |target| {
        Box::pin(same_plan(target))
    })
    .needs(UPDATE),
    Case::should("osb.update.repeated", "A repeated update succeeds.", STATUS, |target| Box::pin(repeated(target)))
        .needs(OTHER_PLAN),
    Case::must(
        "osb.update.is-fetched",
        "After a change of plan, a fetch returns the new plan, if it returns a plan.",
        citation::fetching("plan_id is the plan that is associated with the instance"),
        |target| Box::pin(is_fetched(target)),
    )
    .needs(FETCHED),
    Case::must(
        "osb.update.without-plan",
        "An update without plan_id does not change the plan.",
        citation::updating("without plan_id, the broker must not change the plan"),
        |target| Box::pin(without_plan(target)),
    )
    .needs(FETCHED),
    Case::must(
        "osb.update.missing-service",
        "An update without service_id is answered 400.",
        citation::updating("400 must be returned if the request is missing mandatory data"),
        |target| Box::pin(missing_service(target)),
    )
    .needs(UPDATE),
    Case::must(
        "osb.update.unknown-plan",
        "A change to a plan that is not in the catalog is refused.",
        citation::updating("plan_id must be the id of a plan from the service offering"),
        |target| Box::pin(unknown_plan(target)),
    )
    .needs(UPDATE),
    Case::must(
        "osb.update.refused-is-harmless",
        "A refused update leaves the instance as it was.",
        citation::updating("with a 4xx, the broker must not apply any of the requested changes"),
        |target| Box::pin(refused_is_harmless(target)),
    )
    .needs(&[Capability::PlanChange, Capability::FetchInstance]),
    Case::should(
        "osb.update.unknown-instance",
        "An update of an unknown instance is answered 404 (or another client error).",
        citation::updating("the instance id must be that of a previously provisioned instance"),
        |target| Box::pin(unknown_instance(target)),
    )
    .needs(UPDATE),
    Case::should(
        "osb.update.deprovisioned",
        "An update of a deprovisioned instance is answered 404 (or another client error).",
        citation::updating("the instance id must be that of a previously provisioned instance"),
        |target| Box::pin(deprovisioned(target)),
    )
    .needs(UPDATE),
    Case::should(
        "osb.update.empty-objects",
        "An update with empty previous_values and maintenance_info succeeds.",
        citation::ibm_client("sends maintenance_info: {} with every update, also in previous_values"),
        |target| Box::pin(empty_objects(target)),
    )
    .needs(UPDATE),
    Case::must(
        "osb.update.unknown-fields",
        "Unknown fields of an update are ignored.",
        citation::extensions("receivers must ignore unknown extension fields"),
        |target| Box::pin(unknown_fields(target)),
    )
    .needs(UPDATE),
    Case::should(
        "osb.update.not-updateable",
        "A change of plan is refused if the plan is not plan_updateable.",
        citation::updating("422 must be returned if the requested change is not supported"),
        |target| Box::pin(not_updateable(target)),
    )
    .needs(&[Capability::NoPlanChange, Capability::SecondPlan]),
];

/// Requires a success, and waits until the update is complete.
async fn must_complete(target: &Target, instance: &InstanceId, response: &Response) -> Verdict {
    response.must_be(&[200, 202], ADVICE)?;
    if response.status() == 200 {
        return Ok(());
    }
    match target.poll(instance, response).await? {
        Polled::Succeeded => Ok(()),
        Polled::Failed(last) | Polled::Gone(last) | Polled::Invalid(last) | Polled::TimedOut(last) => Err(last
            .fault("The update does not complete.", "Answer last_operation with the state succeeded when it is done.")),
    }
}

/// Changes the plan, and waits until this is done; skips the check if it fails.
pub(super) async fn change_plan(target: &Target, instance: &InstanceId, plan: &str) -> Result<(), Stop> {
    let response = target.wire.send(target.osb.update(instance, plan)).await?;
    let status = response.status();
    must_complete(target, instance, &response)
        .await
        .map_err(|_| Stop::skipped(format!("a change of plan is answered {status} (see osb.update.succeeds)")))
}

async fn succeeds(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.osb.update(&instance, target.other_plan()?)).await?;
    must_complete(target, &instance, &response).await
}

async fn body(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.update(&instance).await?).await?;
    if !response.is_success() {
        return Err(Stop::skipped(format!("an update is answered {} (see osb.update.succeeds)", response.status())));
    }
    rules::has_valid_operation(&response)?;
    rules::has_valid_dashboard_url(&response)
}

async fn synchronous(target: &Target) -> Verdict {
    target.require_update().await?;
    let instance = target.new_instance().await?;
    let call = target.osb.update(&instance, target.other_plan()?).accepts_incomplete(false);
    rules::is_synchronous(&target.wire.send(call).await?, &[200])
}

async fn same_plan(target: &Target) -> Verdict {
    target.require_update().await?;
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.osb.update(&instance, instance.plan_id())).await?;
    must_complete(target, &instance, &response).await
}

async fn repeated(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let plan = target.other_plan()?;
    change_plan(target, &instance, plan).await?;
    let response = target.wire.send(target.osb.update(&instance, plan)).await?.to("a repeated update");
    must_complete(target, &instance, &response).await
}

/// Creates an instance; skips the check unless a fetch returns its plan, if it returns a plan.
async fn fetched_instance(target: &Target) -> Result<InstanceId, Stop> {
    let instance = target.new_instance().await?;
    match has_plan(target, &instance, instance.plan_id(), "After a provision").await {
        Err(Stop::Failed(_)) => Err(Stop::skipped("a fetch returns another plan (see osb.fetch.instance)")),
        other => other.map(|()| instance),
    }
}

/// Requires this plan in a fetch, if the broker returns a plan.
async fn has_plan(target: &Target, instance: &InstanceId, plan: &str, when: &str) -> Verdict {
    let response = target.wire.send(target.osb.fetch(instance)).await?;
    let found = response.json().filter(|_| response.status() == 200).map(|body| body["plan_id"].clone());
    match found {
        None => Err(Stop::skipped(format!("a fetch is answered {} (see osb.fetch.instance)", response.status()))),
        Some(found) if found.is_null() || found == plan => Ok(()),
        Some(_) => Err(response.fault(
            format!("{when}, a fetch returns another plan than {plan}."),
            "Store the plan when the update succeeds, and only then.",
        )),
    }
}

async fn is_fetched(target: &Target) -> Verdict {
    let instance = fetched_instance(target).await?;
    let plan = target.other_plan()?;
    change_plan(target, &instance, plan).await?;
    has_plan(target, &instance, plan, "After a change of plan").await
}

async fn without_plan(target: &Target) -> Verdict {
    target.require_update().await?;
    let instance = fetched_instance(target).await?;
    let call = target.osb.update(&instance, "").without("plan_id");
    let response = target.wire.send(call).await?;
    if response.status() == 202 {
        target.poll(&instance, &response).await?;
    }
    has_plan(target, &instance, instance.plan_id(), "After an update without plan_id").await
}

async fn missing_service(target: &Target) -> Verdict {
    target.require_update().await?;
    let instance = target.shared_instance().await?;
    let call = target.osb.update(&instance, instance.plan_id()).without("service_id");
    rules::is_bad_request(&target.wire.send(call).await?, "Answer 400 with a description if service_id is missing.")
}

async fn unknown_plan(target: &Target) -> Verdict {
    target.require_update().await?;
    let instance = target.shared_instance().await?;
    let response = target.wire.send(target.osb.update(&instance, "no-such-plan")).await?;
    response
        .must_be(&[400, 422], "Look plan_id up in the catalog, and answer 400 with a description if it is unknown.")?;
    Ok(())
}

async fn refused_is_harmless(target: &Target) -> Verdict {
    let instance = fetched_instance(target).await?;
    let response = target.wire.send(target.osb.update(&instance, "no-such-plan")).await?;
    if response.is_success() {
        return Err(Stop::skipped("an unknown plan is accepted (see osb.update.unknown-plan)"));
    }
    has_plan(target, &instance, instance.plan_id(), "After a refused update").await
}

async fn unknown_instance(target: &Target) -> Verdict {
    target.require_update().await?;
    let instance = target.instance()?;
    let advice = "Answer 404 with a description if the instance does not exist.";
    target.must_not_update(&instance, instance.plan_id(), advice).await
}

async fn deprovisioned(target: &Target) -> Verdict {
    target.require_update().await?;
    let instance = target.new_instance().await?;
    target.remove(&instance).await?;
    let advice = "Answer 404 with a description if the instance was deprovisioned.";
    target.must_not_update(&instance, instance.plan_id(), advice).await
}

async fn empty_objects(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let call = target.update(&instance).await?;
    let call = call.set("previous_values", json!({ "maintenance_info": {} })).set("maintenance_info", json!({}));
    let response = target.wire.send(call).await?;
    response.must_be(&[200, 202], "Treat a maintenance_info without version like a missing one.").map(drop)
}

async fn unknown_fields(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let call = target.update(&instance).await?.set("x_maitre_extension", json!([1]));
    target.wire.send(call).await?.must_be(&[200, 202], "Ignore fields that you do not know.").map(drop)
}

async fn not_updateable(target: &Target) -> Verdict {
    let instance = target.new_instance().await?;
    let response = target.wire.send(target.osb.update(&instance, target.other_plan()?)).await?;
    response.must_be_refused("Answer 422 with a description, or declare plan_updateable in the catalog.")
}
