//! The customer removes the add-on.

use super::{PLAN_CHANGE, Subject, clause};
use crate::check::{Case, Clause};
use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

const IDEMPOTENT: Clause = clause::reference("every endpoint must be idempotent");

const GONE: &str =
    "Answer 410 (or 404, or 204 again) to what is already gone: any other answer is tried again for hours.";

pub(super) const CASES: &[Case<Subject>] = &[
    Case::must(
        "heroku.deprovision.succeeds",
        "A deprovision succeeds.",
        clause::reference_v1("200 in version 1, 204 in version 3"),
        |it| Box::pin(succeeds(it)),
    ),
    Case::info(
        "heroku.deprovision.status",
        "A deprovision is answered 204.",
        clause::seen_at("heroku/sudo-sandwich", "204 without a body"),
        |it| Box::pin(status(it)),
    ),
    Case::must(
        "heroku.deprovision.again",
        "A second deprovision finds nothing, and says so in peace.",
        IDEMPOTENT,
        |it| Box::pin(again(it)),
    ),
    Case::should(
        "heroku.deprovision.unknown",
        "A deprovision of what was never ordered is answered in peace.",
        clause::seen_at("azimuttapp/azimutt", "404 to what is unknown, 410 to what was removed"),
        |it| Box::pin(unknown(it)),
    ),
    Case::must(
        "heroku.deprovision.at-once",
        "The same deprovision, sent eight times at once, makes nobody stumble.",
        IDEMPOTENT,
        |it| Box::pin(at_once(it)),
    ),
    Case::must(
        "heroku.deprovision.leaves-others",
        "Removing one resource leaves the others alone.",
        clause::reference("base_url and the id name the resource"),
        |it| Box::pin(leaves_others(it)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.deprovision.after-plan-change",
        "A resource can be removed after a plan change.",
        clause::reference("base_url and the id name the resource"),
        |it| Box::pin(after_plan_change(it)),
    )
    .needs(PLAN_CHANGE),
];

fn must_be_peaceful(seen: &Seen) -> Verdict {
    match seen.status() {
        200..=299 | 404 | 410 => Ok(()),
        _ => Err(seen.wrong_status("410, 404 or 204", GONE)),
    }
}

async fn removal(it: &Subject) -> Result<Seen, Stop> {
    let resource = it.ordered().await?;
    it.wire.send(it.deprovision(&resource)).await
}

async fn succeeds(it: &Subject) -> Verdict {
    let seen = removal(it).await?;
    let advice = match seen.status() {
        200..=299 => return Ok(()),
        404 | 405 | 410 => "Find the resource by the id that the provision answered, and give DELETE a route.",
        400 | 411 | 415 | 422 => "A DELETE has neither a body nor a content type: read neither.",
        _ => "Look into the add-on's log; a deprovision must work from every state, and needs no other service.",
    };
    Err(seen.wrong_status("204", advice))
}

async fn status(it: &Subject) -> Verdict {
    let seen = removal(it).await?;
    match seen.status() {
        204 => Ok(()),
        202 => Err(seen.fault(
            "It answers 202: the removal goes on.",
            "This is right for add-ons that Heroku has enabled for asynchronous deprovisioning, and for no others.",
        )),
        200..=299 => Err(seen.fault(
            format!("It answers {}, as in version 1.", seen.status()),
            "Nothing has to be done; 204 without a body is what version 3 expects.",
        )),
        status => Err(Stop::skipped(format!("a deprovision is answered {status} (see heroku.deprovision.succeeds)"))),
    }
}

async fn again(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    it.wire.send(it.deprovision(&resource)).await?;
    must_be_peaceful(&it.wire.send(it.deprovision(&resource)).await?.to("the same deprovision again"))
}

async fn unknown(it: &Subject) -> Verdict {
    it.ordered().await?; // where no call gets through, this one says nothing
    let call = it.market.deprovision(&it.market.new_uuid());
    must_be_peaceful(&it.wire.send(call).await?.to("a deprovision of nothing"))
}

async fn at_once(it: &Subject) -> Verdict {
    let resource = it.ordered().await?;
    let answers = it.wire.send_all((0..8).map(|_| it.deprovision(&resource))).await?;
    for seen in answers {
        // whoever comes while it is being removed may be asked to come again
        if seen.status() != 503 && seen.status() != 409 {
            must_be_peaceful(&seen.to("one of eight deprovisions at once"))?;
        }
    }
    must_be_peaceful(&it.wire.send(it.deprovision(&resource)).await?.to("a ninth deprovision"))
}

async fn leaves_others(it: &Subject) -> Verdict {
    let (one, other) = (it.own().await?, it.own().await?);
    it.wire.send(it.deprovision(&one)).await?;
    let seen = it.is_alive(&other).await?;
    if matches!(seen.status(), 404 | 410) {
        return Err(seen.fault(
            "One resource was removed, and another one is gone.",
            "Remove the resource that the path names, and what belongs to it alone.",
        ));
    }
    Ok(())
}

async fn after_plan_change(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    let plan = it.other_plan().unwrap_or(it.plan());
    it.wire.send(it.plan_change(&resource, plan)).await?;
    let seen = it.wire.send(it.deprovision(&resource)).await?.to("a deprovision after a plan change");
    let advice = "A deprovision must work from every state.";
    if seen.is_success() { Ok(()) } else { Err(seen.wrong_status("204", advice)) }
}
