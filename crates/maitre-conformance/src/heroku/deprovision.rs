//! The customer removes the add-on.

use super::citation;
use super::target::{PLAN_CHANGE, Target};
use crate::check::{Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const IDEMPOTENT: Citation = citation::reference("every endpoint must be idempotent");

const GONE: &str =
    "Answer 410 (or 404, or 204 again) to what is already gone: any other answer is tried again for hours.";

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
        "A second deprovision finds nothing, and says so in peace.",
        IDEMPOTENT,
        |target| Box::pin(again(target)),
    ),
    Case::should(
        "heroku.deprovision.unknown",
        "A deprovision of what was never ordered is answered in peace.",
        citation::vendor_code("azimuttapp/azimutt", "404 to what is unknown, 410 to what was removed"),
        |target| Box::pin(unknown(target)),
    ),
    Case::must(
        "heroku.deprovision.at-once",
        "The same deprovision, sent eight times at once, makes nobody stumble.",
        IDEMPOTENT,
        |target| Box::pin(at_once(target)),
    ),
    Case::must(
        "heroku.deprovision.leaves-others",
        "Removing one resource leaves the others alone.",
        citation::reference("base_url and the id name the resource"),
        |target| Box::pin(leaves_others(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.deprovision.after-plan-change",
        "A resource can be removed after a plan change.",
        citation::reference("base_url and the id name the resource"),
        |target| Box::pin(after_plan_change(target)),
    )
    .needs(PLAN_CHANGE),
];

fn must_be_idempotent(response: &Response) -> Verdict {
    match response.status() {
        200..=299 | 404 | 410 => Ok(()),
        _ => Err(response.wrong_status("410, 404 or 204", GONE)),
    }
}

async fn removal(target: &Target) -> Result<Response, Stop> {
    let resource = target.new_resource().await?;
    target.wire.send(target.deprovision(&resource)).await
}

async fn succeeds(target: &Target) -> Verdict {
    let response = removal(target).await?;
    let advice = match response.status() {
        200..=299 => return Ok(()),
        404 | 405 | 410 => "Find the resource by the id that the provision answered, and give DELETE a route.",
        400 | 411 | 415 | 422 => "A DELETE has neither a body nor a content type: read neither.",
        _ => "Look into the add-on's log; a deprovision must work from every state, and needs no other service.",
    };
    Err(response.wrong_status("204", advice))
}

async fn status(target: &Target) -> Verdict {
    let response = removal(target).await?;
    match response.status() {
        204 => Ok(()),
        202 => Err(response.fault(
            "It answers 202: the removal goes on.",
            "This is right for add-ons that Heroku has enabled for asynchronous deprovisioning, and for no others.",
        )),
        200..=299 => Err(response.fault(
            format!("It answers {}, as in version 1.", response.status()),
            "Nothing has to be done; 204 without a body is what version 3 expects.",
        )),
        status => Err(Stop::skipped(format!("a deprovision is answered {status} (see heroku.deprovision.succeeds)"))),
    }
}

async fn again(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    target.wire.send(target.deprovision(&resource)).await?;
    must_be_idempotent(&target.wire.send(target.deprovision(&resource)).await?.to("the same deprovision again"))
}

async fn unknown(target: &Target) -> Verdict {
    target.new_resource().await?; // where no call gets through, this one says nothing
    let call = target.heroku.deprovision(&target.heroku.new_uuid());
    must_be_idempotent(&target.wire.send(call).await?.to("a deprovision of nothing"))
}

async fn at_once(target: &Target) -> Verdict {
    let resource = target.new_resource().await?;
    let answers = target.wire.send_all((0..8).map(|_| target.deprovision(&resource))).await?;
    for response in answers {
        // whoever comes while it is being removed may be asked to come again
        if response.status() != 503 && response.status() != 409 {
            must_be_idempotent(&response.to("one of eight deprovisions at once"))?;
        }
    }
    must_be_idempotent(&target.wire.send(target.deprovision(&resource)).await?.to("a ninth deprovision"))
}

async fn leaves_others(target: &Target) -> Verdict {
    let (one, other) = (target.ready_resource().await?, target.ready_resource().await?);
    target.wire.send(target.deprovision(&one)).await?;
    let response = target.probe(&other).await?;
    if matches!(response.status(), 404 | 410) {
        return Err(response.fault(
            "One resource was removed, and another one is gone.",
            "Remove the resource that the path names, and what belongs to it alone.",
        ));
    }
    Ok(())
}

async fn after_plan_change(target: &Target) -> Verdict {
    let resource = target.ready_resource().await?;
    let plan = target.other_plan().unwrap_or(target.plan());
    target.wire.send(target.plan_change(&resource, plan)).await?;
    let response = target.wire.send(target.deprovision(&resource)).await?.to("a deprovision after a plan change");
    let advice = "A deprovision must work from every state.";
    if response.is_success() { Ok(()) } else { Err(response.wrong_status("204", advice)) }
}
