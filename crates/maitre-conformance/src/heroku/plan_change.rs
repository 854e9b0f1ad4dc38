//! The customer moves to another plan.

use serde_json::Value;

use super::citation;
use super::target::{PLAN_CHANGE, Target};
use crate::check::{Capability, Case, Citation};
use crate::cleanup::id_text;
use crate::response::Response;
use crate::rules::must_be_refused_with_message;
use crate::verdict::{Stop, Verdict};

const UNKNOWN: Citation =
    citation::vendor_code("azimuttapp/azimutt", "404 to what is unknown, 410 to what was removed");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.plan-change.succeeds",
        "A plan change is answered 200, 202 if it is done later, or refused with 422 and a message.",
        citation::reference_v1("200 when it is done, 422 with message when it cannot be done"),
        |target| Box::pin(succeeds(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.plan-change.json",
        "The answer to a plan change is a JSON object, which may be empty.",
        citation::reference_v1("the body of an answer is valid JSON"),
        |target| Box::pin(is_json(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.plan-change.same-plan",
        "A change to the plan that the resource has is answered 200, and changes nothing.",
        citation::best_practices("Heroku may have missed the first answer"),
        |target| Box::pin(same_plan(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.again",
        "The same plan change, sent again, succeeds again.",
        citation::reference("every endpoint must be idempotent"),
        |target| Box::pin(again(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.plan-change.and-back",
        "The resource can go back to its first plan, or is told why not.",
        citation::reference_v1("every change is answered 200, or 422 with message"),
        |target| Box::pin(and_back(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.plan-change.id-stays",
        "A plan change does not change the id.",
        citation::reference_v1("id is immutable even on plan change"),
        |target| Box::pin(id_stays(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.plan-change.refusal",
        "A change to a plan that is not sold is refused with 422 and a message.",
        citation::reference_v1("422 with message; the old plan stays"),
        |target| Box::pin(refusal(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.refused-is-harmless",
        "A refused plan change leaves the resource as it was.",
        citation::reference_v1("422 with message; the old plan stays"),
        |target| Box::pin(refused_is_harmless(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.unknown-fields",
        "Fields that are not known are no reason to refuse.",
        citation::reference_v1("unknown fields are accepted and ignored"),
        |target| Box::pin(unknown_fields(target)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.plan-change.by-path",
        "The path says which resource is meant, whatever uuid the body holds.",
        citation::kensa("the body holds a heroku_id and a uuid that belongs to nobody"),
        |target| Box::pin(by_path(target)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.plan-change.unknown-resource",
        "A plan change of a resource that was never ordered is refused.",
        UNKNOWN,
        |target| Box::pin(unknown(target)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.plan-change.unknown-404",
        "A plan change of a resource that was never ordered is answered 404.",
        UNKNOWN,
        |target| Box::pin(unknown_404(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.removed",
        "A plan change of a removed resource is refused.",
        citation::reference("after a deprovision the resource is gone"),
        |target| Box::pin(removed(target)),
    )
    .needs(PLAN_CHANGE),
];

/// The answer to a change to the other plan, whether it is made or refused.
async fn changed(target: &Target) -> Result<Response, Stop> {
    let resource = target.ready_resource().await?;
    target.wire.send(target.plan_change(&resource, target.other_plan()?)).await
}

/// The same, where it is made.
async fn made(target: &Target) -> Result<Response, Stop> {
    done(changed(target).await?)
}

fn done(response: Response) -> Result<Response, Stop> {
    if response.is_success() {
        return Ok(response);
    }
    let status = response.status();
    Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")))
}

fn must_be_answered(response: &Response) -> Verdict {
    match response.status() {
        200..=202 | 204 => Ok(()),
        422 => must_be_refused_with_message(response),
        404 | 410 => Err(response.wrong_status("200", "Find the resource by the id that the provision answered.")),
        _ => {
            Err(response
                .wrong_status("200 (or 422 with a message)", "Answer 200 and what is new: {config?, message?}."))
        }
    }
}

async fn succeeds(target: &Target) -> Verdict {
    must_be_answered(&changed(target).await?)
}

async fn is_json(target: &Target) -> Verdict {
    let response = made(target).await?;
    if response.status() == 204 { Ok(()) } else { response.object().map(drop) }
}

async fn same_plan(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let response =
        target.wire.send(target.plan_change(&resource, target.plan())).await?.to("a change to the plan it has");
    let advice = "Answer 200 as if it had been done now: Heroku asks again when it has missed the first answer.";
    if response.is_success() { Ok(()) } else { Err(response.wrong_status("200", advice)) }
}

async fn again(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    done(target.wire.send(target.plan_change(&resource, target.other_plan()?)).await?)?;
    let response =
        target.wire.send(target.plan_change(&resource, target.other_plan()?)).await?.to("the same plan change again");
    let advice = "Answer 200 as the first time: Heroku asks again when it has missed the answer.";
    if response.is_success() { Ok(()) } else { Err(response.wrong_status("200", advice)) }
}

async fn and_back(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    done(target.wire.send(target.plan_change(&resource, target.other_plan()?)).await?)?;
    let response = target.wire.send(target.plan_change(&resource, target.plan())).await?.to("a change back");
    must_be_answered(&response)
}

async fn id_stays(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let response = done(target.wire.send(target.plan_change(&resource, target.other_plan()?)).await?)?;
    match response.json().and_then(|body| id_text(&body["id"])) {
        Some(id) if id != resource.id => Err(response.fault(
            format!("The answer holds the id {id}, and the provision's was {}.", resource.id),
            "Keep the id for the life of the resource; a plan change need not answer one.",
        )),
        _ => Ok(()),
    }
}

/// The refusal of a plan that nobody sells.
fn refused(target: &Target, response: Response) -> Result<Response, Stop> {
    if response.is_success() {
        let plan = target.plan();
        return Err(Stop::skipped(format!(
            "the add-on takes any plan in the place of {plan}, so that no refusal could be response"
        )));
    }
    Ok(response)
}

async fn refusal(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let response =
        target.wire.send(target.plan_change(&resource, &target.unknown_plan())).await?.to("a plan that nobody sells");
    must_be_refused_with_message(&refused(target, response)?)
}

async fn refused_is_harmless(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let response = target.wire.send(target.plan_change(&resource, &target.unknown_plan())).await?;
    refused(target, response)?;
    let after = target.probe(&resource).await?.to("a change to its own plan, after a refused one");
    let advice = "Look whether the change can be made before anything is changed.";
    if after.is_success() { Ok(()) } else { Err(after.wrong_status("200", advice)) }
}

async fn unknown_fields(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    let change =
        target.plan_change(&resource, target.plan()).set("uuid", resource.uuid.as_str()).set("zone", Value::Null);
    let response = target.wire.send(change).await?.to("fields that nobody knows");
    let advice = "Ignore what you do not know: Heroku adds fields when it likes.";
    if response.is_success() { Ok(()) } else { Err(response.wrong_status("200", advice)) }
}

async fn by_path(target: &Target) -> Verdict {
    let resource = target.shared_resource().await?;
    let response =
        target.wire.send(target.plan_change(&resource, target.plan()).legacy()).await?.to("kensa's plan change");
    let advice = "Find the resource by the id in the path alone; what the body calls it counts for nothing.";
    if response.is_success() { Ok(()) } else { Err(response.wrong_status("200", advice)) }
}

async fn of_nothing(target: &Target) -> Result<Response, Stop> {
    target.ready_resource().await?; // where no call gets through, a refusal says nothing
    let call = target.heroku.plan_change(&target.heroku.new_uuid(), target.plan());
    Ok(target.wire.send(call).await?.to("a plan change of nothing"))
}

async fn unknown(target: &Target) -> Verdict {
    let advice = "Answer 404: nothing was ordered under this id, so nothing can have changed.";
    of_nothing(target).await?.must_be_refused(advice).map(drop)
}

async fn unknown_404(target: &Target) -> Verdict {
    of_nothing(target).await?.must_be(&[404, 410], "Answer 404 with a message.").map(drop)
}

async fn removed(target: &Target) -> Verdict {
    target.require_ready()?;
    let resource = target.deprovisioned_resource().await?;
    let response = target.probe(&resource).await?.to("a plan change of a removed resource");
    response.must_be_refused("Answer 410 (or 404): what was removed stays so.").map(drop)
}
