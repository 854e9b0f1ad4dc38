//! Plan changes.

use serde_json::Value;

use super::citation;
use super::target::{PLAN_CHANGE, TWO_PLANS, Target};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::rules;
use crate::verdict::{Stop, Verdict};

const UNKNOWN: Citation =
    citation::vendor_code("azimuttapp/azimutt", "404 for an unknown resource, 410 for a deprovisioned one");

const REPEATED: &str = "Answer 200 as the first time: Heroku retries a request whose response it missed.";

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.plan-change.succeeds",
        "A plan change is answered 200, 202 if it completes later, or refused with 422 and a message.",
        citation::reference_v1("200 when it is done, 422 with message when it cannot be done"),
        |target| Box::pin(succeeds(target)),
    )
    .needs(TWO_PLANS),
    Case::must(
        "heroku.plan-change.json",
        "The response to a plan change is a JSON object, which may be empty.",
        citation::reference_v1("the body of a response is valid JSON"),
        |target| Box::pin(is_json(target)),
    )
    .needs(TWO_PLANS),
    Case::must(
        "heroku.plan-change.same-plan",
        "A change to the resource's current plan is answered 200 and changes nothing.",
        citation::best_practices("Heroku may have missed the first response"),
        |target| Box::pin(same_plan(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.again",
        "A repeated plan change succeeds again.",
        citation::reference("every endpoint must be idempotent"),
        |target| Box::pin(again(target)),
    )
    .needs(TWO_PLANS),
    Case::must(
        "heroku.plan-change.and-back",
        "A change back to the first plan succeeds, or is refused with a message.",
        citation::reference_v1("every change is answered 200, or 422 with message"),
        |target| Box::pin(and_back(target)),
    )
    .needs(TWO_PLANS),
    Case::must(
        "heroku.plan-change.id-stays",
        "A plan change does not change the id.",
        citation::reference_v1("id is immutable even on plan change"),
        |target| Box::pin(id_stays(target)),
    )
    .needs(TWO_PLANS),
    Case::must(
        "heroku.plan-change.refusal",
        "A change to an unknown plan is refused with 422 and a message.",
        citation::reference_v1("422 with message; the old plan stays"),
        |target| Box::pin(refusal(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.refused-is-harmless",
        "A refused plan change does not modify the resource.",
        citation::reference_v1("422 with message; the old plan stays"),
        |target| Box::pin(refused_is_harmless(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.unknown-fields",
        "Unknown fields are ignored.",
        citation::reference_v1("unknown fields are accepted and ignored"),
        |target| Box::pin(unknown_fields(target)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.plan-change.by-path",
        "The path identifies the resource, whatever uuid the body contains.",
        citation::kensa("the body has a heroku_id and a uuid of no resource"),
        |target| Box::pin(by_path(target)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.plan-change.unknown-resource",
        "A plan change of an unknown resource is refused.",
        UNKNOWN,
        |target| Box::pin(unknown(target)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.plan-change.unknown-404",
        "A plan change of an unknown resource is answered 404.",
        UNKNOWN,
        |target| Box::pin(unknown_404(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.removed",
        "A plan change of a deprovisioned resource is refused.",
        citation::reference("after a deprovision the resource is gone"),
        |target| Box::pin(deprovisioned(target)),
    )
    .needs(PLAN_CHANGE),
];

/// Sends a change to the other plan.
async fn change(target: &Target) -> Result<Response, Stop> {
    let resource = target.ready_resource().await?;
    target.wire.send(target.plan_change(&resource, target.other_plan()?)).await
}

/// Skips the check unless a plan change succeeded.
fn succeeded(response: Response) -> Result<Response, Stop> {
    if response.is_success() {
        return Ok(response);
    }
    let status = response.status();
    Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")))
}

async fn succeeds(target: &Target) -> Verdict {
    change(target).await?.require(rules::plan_change_answered)
}

async fn is_json(target: &Target) -> Verdict {
    let response = succeeded(change(target).await?)?;
    if response.status() == 204 { Ok(()) } else { response.object().map(drop) }
}

async fn same_plan(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let response = target.probe(&resource).await?.to("a change to the current plan");
    response.must_succeed("200", REPEATED)
}

async fn again(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    succeeded(target.wire.send(target.plan_change(&resource, target.other_plan()?)).await?)?;
    let response = target.wire.send(target.plan_change(&resource, target.other_plan()?)).await?;
    response.to("a repeated plan change").must_succeed("200", REPEATED)
}

async fn and_back(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    succeeded(target.wire.send(target.plan_change(&resource, target.other_plan()?)).await?)?;
    let response = target.probe(&resource).await?.to("a change back to the first plan");
    response.require(rules::plan_change_answered)
}

async fn id_stays(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let response = succeeded(target.wire.send(target.plan_change(&resource, target.other_plan()?)).await?)?;
    match response.parts().id() {
        Some(id) if id != resource.id => Err(response.fault(
            format!("The response contains the id {id}, but the provision's was {}.", resource.id),
            "Keep the id for the life of the resource; the response to a plan change need not contain one.",
        )),
        _ => Ok(()),
    }
}

/// Skips the check unless an unknown plan was refused.
fn refused(target: &Target, response: Response) -> Result<Response, Stop> {
    if response.is_success() {
        let plan = target.plan();
        return Err(Stop::skipped(format!(
            "the add-on accepts any plan in place of {plan}, so a refusal could not be observed"
        )));
    }
    Ok(response)
}

async fn refusal(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.ready_resource().await?;
    let response = target.wire.send(target.plan_change(&resource, &target.unknown_plan())).await?;
    refused(target, response.to("an unknown plan"))?.require(rules::is_refused_with_message)
}

async fn refused_is_harmless(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.ready_resource().await?;
    let response = target.wire.send(target.plan_change(&resource, &target.unknown_plan())).await?;
    refused(target, response)?;
    let after = target.probe(&resource).await?.to("a change to the current plan, after a refused plan change");
    after.must_succeed("200", "Check whether the change is possible before you modify anything.")
}

async fn unknown_fields(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.shared_resource().await?;
    let change = target.plan_change(&resource, target.plan());
    let change = change.set("uuid", resource.uuid.as_str()).set("zone", Value::Null);
    let response = target.wire.send(change).await?.to("unknown fields");
    response.must_succeed("200", "Ignore unknown fields: Heroku adds fields at any time.")
}

async fn by_path(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.shared_resource().await?;
    let change = target.plan_change(&resource, target.plan()).legacy();
    let response = target.wire.send(change).await?.to("kensa's plan change");
    response.must_succeed("200", "Find the resource only by the id in the path; ignore ids in the body.")
}

async fn change_of_unknown(target: &Target) -> Result<Response, Stop> {
    target.require_plan_change().await?;
    let call = target.plan_change_of(&target.heroku.new_uuid(), target.plan());
    Ok(target.wire.send(call).await?.to("a plan change of an unknown resource"))
}

async fn unknown(target: &Target) -> Verdict {
    let advice = "Answer 404: no resource has this id, so nothing can have changed.";
    change_of_unknown(target).await?.must_be_refused(advice)
}

async fn unknown_404(target: &Target) -> Verdict {
    change_of_unknown(target).await?.must_be(&[404, 410], "Answer 404 with a message.").map(drop)
}

async fn deprovisioned(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let resource = target.deprovisioned_resource().await?;
    let response = target.probe(&resource).await?.to("a plan change of a deprovisioned resource");
    response.must_be_refused("Answer 410 (or 404): a deprovisioned resource stays deprovisioned.")
}
