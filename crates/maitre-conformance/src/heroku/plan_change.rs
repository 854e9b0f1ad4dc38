//! The customer moves to another plan.

use serde_json::Value;

use super::{PLAN_CHANGE, Subject, clause};
use crate::check::{Capability, Case, Clause};
use crate::made;
use crate::rules::must_be_told;
use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

const UNKNOWN: Clause = clause::seen_at("azimuttapp/azimutt", "404 to what is unknown, 410 to what was removed");

pub(super) const CASES: &[Case<Subject>] = &[
    Case::must(
        "heroku.plan-change.succeeds",
        "A plan change is answered 200, 202 if it is done later, or refused with 422 and a message.",
        clause::reference_v1("200 when it is done, 422 with message when it cannot be done"),
        |it| Box::pin(succeeds(it)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.plan-change.json",
        "The answer to a plan change is a JSON object, which may be empty.",
        clause::reference_v1("the body of an answer is valid JSON"),
        |it| Box::pin(is_json(it)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.plan-change.same-plan",
        "A change to the plan that the resource has is answered 200, and changes nothing.",
        clause::best_practices("Heroku may have missed the first answer"),
        |it| Box::pin(same_plan(it)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.again",
        "The same plan change, sent again, succeeds again.",
        clause::reference("every endpoint must be idempotent"),
        |it| Box::pin(again(it)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.plan-change.and-back",
        "The resource can go back to its first plan, or is told why not.",
        clause::reference_v1("every change is answered 200, or 422 with message"),
        |it| Box::pin(and_back(it)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.plan-change.id-stays",
        "A plan change does not change the id.",
        clause::reference_v1("id is immutable even on plan change"),
        |it| Box::pin(id_stays(it)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.plan-change.refusal",
        "A change to a plan that is not sold is refused with 422 and a message.",
        clause::reference_v1("422 with message; the old plan stays"),
        |it| Box::pin(refusal(it)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.refused-is-harmless",
        "A refused plan change leaves the resource as it was.",
        clause::reference_v1("422 with message; the old plan stays"),
        |it| Box::pin(refused_is_harmless(it)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.unknown-fields",
        "Fields that are not known are no reason to refuse.",
        clause::reference_v1("unknown fields are accepted and ignored"),
        |it| Box::pin(unknown_fields(it)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.plan-change.by-path",
        "The path says which resource is meant, whatever uuid the body holds.",
        clause::kensa("the body holds a heroku_id and a uuid that belongs to nobody"),
        |it| Box::pin(by_path(it)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.plan-change.unknown-resource",
        "A plan change of a resource that was never ordered is refused.",
        UNKNOWN,
        |it| Box::pin(unknown(it)),
    )
    .needs(PLAN_CHANGE),
    Case::should(
        "heroku.plan-change.unknown-404",
        "A plan change of a resource that was never ordered is answered 404.",
        UNKNOWN,
        |it| Box::pin(unknown_404(it)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.plan-change.removed",
        "A plan change of a removed resource is refused.",
        clause::reference("after a deprovision the resource is gone"),
        |it| Box::pin(removed(it)),
    )
    .needs(PLAN_CHANGE),
];

/// The answer to a change to the other plan, whether it is made or refused.
async fn changed(it: &Subject) -> Result<Seen, Stop> {
    let resource = it.own().await?;
    it.wire.send(it.plan_change(&resource, it.other_plan()?)).await
}

/// The same, where it is made.
async fn made(it: &Subject) -> Result<Seen, Stop> {
    done(changed(it).await?)
}

fn done(seen: Seen) -> Result<Seen, Stop> {
    if seen.is_success() {
        return Ok(seen);
    }
    let status = seen.status();
    Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")))
}

fn must_be_answered(seen: &Seen) -> Verdict {
    match seen.status() {
        200..=202 | 204 => Ok(()),
        422 => must_be_told(seen),
        404 | 410 => Err(seen.wrong_status("200", "Find the resource by the id that the provision answered.")),
        _ => Err(seen.wrong_status("200 (or 422 with a message)", "Answer 200 and what is new: {config?, message?}.")),
    }
}

async fn succeeds(it: &Subject) -> Verdict {
    must_be_answered(&changed(it).await?)
}

async fn is_json(it: &Subject) -> Verdict {
    let seen = made(it).await?;
    if seen.status() == 204 { Ok(()) } else { seen.object().map(drop) }
}

async fn same_plan(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    let seen = it.wire.send(it.plan_change(&resource, it.plan())).await?.to("a change to the plan it has");
    let advice = "Answer 200 as if it had been done now: Heroku asks again when it has missed the first answer.";
    if seen.is_success() { Ok(()) } else { Err(seen.wrong_status("200", advice)) }
}

async fn again(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    done(it.wire.send(it.plan_change(&resource, it.other_plan()?)).await?)?;
    let seen = it.wire.send(it.plan_change(&resource, it.other_plan()?)).await?.to("the same plan change again");
    let advice = "Answer 200 as the first time: Heroku asks again when it has missed the answer.";
    if seen.is_success() { Ok(()) } else { Err(seen.wrong_status("200", advice)) }
}

async fn and_back(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    done(it.wire.send(it.plan_change(&resource, it.other_plan()?)).await?)?;
    let seen = it.wire.send(it.plan_change(&resource, it.plan())).await?.to("a change back");
    must_be_answered(&seen)
}

async fn id_stays(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    let seen = done(it.wire.send(it.plan_change(&resource, it.other_plan()?)).await?)?;
    match seen.value().and_then(|body| made::text(&body["id"])) {
        Some(id) if id != resource.id => Err(seen.fault(
            format!("The answer holds the id {id}, and the provision's was {}.", resource.id),
            "Keep the id for the life of the resource; a plan change need not answer one.",
        )),
        _ => Ok(()),
    }
}

/// The refusal of a plan that nobody sells.
fn refused(it: &Subject, seen: Seen) -> Result<Seen, Stop> {
    if seen.is_success() {
        let plan = it.plan();
        return Err(Stop::skipped(format!(
            "the add-on takes any plan in the place of {plan}, so that no refusal could be seen"
        )));
    }
    Ok(seen)
}

async fn refusal(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    let seen = it.wire.send(it.plan_change(&resource, &it.no_plan())).await?.to("a plan that nobody sells");
    must_be_told(&refused(it, seen)?)
}

async fn refused_is_harmless(it: &Subject) -> Verdict {
    let resource = it.own().await?;
    let seen = it.wire.send(it.plan_change(&resource, &it.no_plan())).await?;
    refused(it, seen)?;
    let after = it.is_alive(&resource).await?.to("a change to its own plan, after a refused one");
    let advice = "Look whether the change can be made before anything is changed.";
    if after.is_success() { Ok(()) } else { Err(after.wrong_status("200", advice)) }
}

async fn unknown_fields(it: &Subject) -> Verdict {
    let resource = it.shared().await?;
    let change = it.plan_change(&resource, it.plan()).set("uuid", resource.uuid.as_str()).set("zone", Value::Null);
    let seen = it.wire.send(change).await?.to("fields that nobody knows");
    let advice = "Ignore what you do not know: Heroku adds fields when it likes.";
    if seen.is_success() { Ok(()) } else { Err(seen.wrong_status("200", advice)) }
}

async fn by_path(it: &Subject) -> Verdict {
    let resource = it.shared().await?;
    let seen = it.wire.send(it.plan_change(&resource, it.plan()).legacy()).await?.to("kensa's plan change");
    let advice = "Find the resource by the id in the path alone; what the body calls it counts for nothing.";
    if seen.is_success() { Ok(()) } else { Err(seen.wrong_status("200", advice)) }
}

async fn of_nothing(it: &Subject) -> Result<Seen, Stop> {
    it.own().await?; // where no call gets through, a refusal says nothing
    let call = it.market.plan_change(&it.market.new_uuid(), it.plan());
    Ok(it.wire.send(call).await?.to("a plan change of nothing"))
}

async fn unknown(it: &Subject) -> Verdict {
    let advice = "Answer 404: nothing was ordered under this id, so nothing can have changed.";
    of_nothing(it).await?.must_be_refused(advice).map(drop)
}

async fn unknown_404(it: &Subject) -> Verdict {
    of_nothing(it).await?.must_be(&[404, 410], "Answer 404 with a message.").map(drop)
}

async fn removed(it: &Subject) -> Verdict {
    it.ready()?;
    let resource = it.removed().await?;
    let seen = it.is_alive(&resource).await?.to("a plan change of a removed resource");
    seen.must_be_refused("Answer 410 (or 404): what was removed stays so.").map(drop)
}
