//! Deprovisions.

use super::citation;
use super::target::{PLAN_CHANGE, Target, must_be_deprovisioned};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::rules;
use crate::verdict::{Stop, Verdict};

const IDEMPOTENT: Citation = citation::reference("every endpoint must be idempotent");

pub(super) const CASES: &[Case<Target>] = &[
    Case::must(
        "heroku.deprovision.succeeds",
        "A deprovision succeeds.",
        citation::reference_v1("200 in version 1, 204 in version 3"),
        |target| Box::pin(succeeds(target)),
    ),
    Case::info(
        "heroku.deprovision.status",
        "A deprovision is answered 204.",
        citation::vendor_code("heroku/sudo-sandwich", "204 without a body"),
        |target| Box::pin(status(target)),
    ),
    Case::must(
        "heroku.deprovision.again",
        "A repeated deprovision is answered 404, 410 or with a success.",
        IDEMPOTENT,
        |target| Box::pin(again(target)),
    ),
    Case::should(
        "heroku.deprovision.unknown",
        "A deprovision of an unknown resource is answered 404, 410 or with a success.",
        citation::vendor_code("azimuttapp/azimutt", "404 for an unknown resource, 410 for a deprovisioned one"),
        |target| Box::pin(unknown(target)),
    ),
    Case::must(
        "heroku.deprovision.at-once",
        "Eight concurrent requests for the same deprovision cause no server error.",
        IDEMPOTENT,
        |target| Box::pin(concurrent(target)),
    ),
    Case::must(
        "heroku.deprovision.leaves-others",
        "A deprovision does not affect other resources.",
        citation::reference("base_url and the id name the resource"),
        |target| Box::pin(keeps_other_resources(target)),
    )
    .needs(PLAN_CHANGE)
    .alone(),
    Case::must(
        "heroku.deprovision.after-plan-change",
        "A resource can be deprovisioned after a plan change.",
        citation::reference("base_url and the id name the resource"),
        |target| Box::pin(after_plan_change(target)),
    )
    .needs(PLAN_CHANGE),
];

fn must_be_idempotent(response: &Response) -> Verdict {
    let advice = "Answer 410 (or 404, or 204 again) if the resource no longer exists: Heroku retries on any other status \
                  for hours.";
    match response.status() {
        200..=299 | 404 | 410 => Ok(()),
        _ => Err(response.wrong_status("410, 404 or 204", advice)),
    }
}

async fn deprovision(target: &Target) -> Result<Response, Stop> {
    let resource = target.new_resource().await?;
    target.wire.send(target.deprovision(&resource)).await
}

async fn succeeds(target: &Target) -> Verdict {
    deprovision(target).await?.require(rules::deprovision_succeeded)
}

async fn status(target: &Target) -> Verdict {
    let response = deprovision(target).await?;
    must_be_deprovisioned(&response)?;
    response.require(rules::deprovision_is_204)
}

async fn again(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    must_be_deprovisioned(&target.wire.send(target.deprovision(&resource)).await?)?;
    must_be_idempotent(&target.wire.send(target.deprovision(&resource)).await?.to("a repeated deprovision"))
}

async fn unknown(target: &Target) -> Verdict {
    target.require_deprovision().await?;
    let call = target.heroku.deprovision(&target.heroku.new_uuid());
    must_be_idempotent(&target.wire.send(call).await?.to("a deprovision of an unknown resource"))
}

async fn concurrent(target: &Target) -> Verdict {
    target.require_deprovision().await?;
    let resource = target.new_resource().await?;
    let responses = target.wire.send_all((0..8).map(|_| target.deprovision(&resource))).await?;
    for response in responses {
        // an add-on may ask for a retry during another deprovision
        if response.status() != 503 && response.status() != 409 {
            must_be_idempotent(&response.to("one of eight concurrent deprovisions"))?;
        }
    }
    must_be_idempotent(&target.wire.send(target.deprovision(&resource)).await?.to("a ninth deprovision"))
}

async fn keeps_other_resources(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let (one, other) = tokio::join!(target.ready_resource(), target.ready_resource());
    let (one, other) = (one?, other?);
    if one.id == other.id {
        return Err(Stop::skipped("two resources have the same id (see heroku.provision.ids-differ)"));
    }
    must_be_deprovisioned(&target.wire.send(target.deprovision(&one)).await?)?;
    let response = target.probe(&other).await?;
    if matches!(response.status(), 404 | 410) {
        return Err(response.fault(
            "After the deprovision of one resource, another one no longer exists.",
            "Deprovision only the resource that the path names.",
        ));
    }
    Ok(())
}

async fn after_plan_change(target: &Target) -> Verdict {
    target.require_deprovision().await?;
    let resource = target.ready_resource().await?;
    let plan = target.other_plan().unwrap_or(target.plan());
    let change = target.wire.send(target.plan_change(&resource, plan)).await?;
    if !change.is_success() {
        let cause = if target.other_plan().is_ok() { "succeeds" } else { "same-plan" };
        let reason = format!("the plan change is answered {} (see heroku.plan-change.{cause})", change.status());
        return Err(Stop::skipped(reason));
    }
    let response = target.wire.send(target.deprovision(&resource)).await?.to("a deprovision after a plan change");
    response.must_succeed("204", "A deprovision must work in every state.")
}
