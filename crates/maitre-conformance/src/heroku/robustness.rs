//! Networks that are slow or break, and calls that come in no order.

use std::time::Duration;

use super::{PLAN_CHANGE, Resource, Subject, clause, hung_up, moments};
use crate::check::{Capability, Case, Clause};
use crate::seen::Seen;
use crate::verdict::{Stop, Verdict};

const RETRIED: Clause = clause::reference("delivery is at least once; every endpoint must be idempotent");

pub(super) const CASES: &[Case<Subject>] = &[
    Case::should(
        "heroku.robustness.slow-caller",
        "A provision whose body comes in over a second succeeds.",
        clause::practice("networks are slow"),
        |it| Box::pin(slow_caller(it)),
    ),
    Case::should(
        "heroku.robustness.very-slow-caller",
        "A provision whose body comes in over ten seconds succeeds.",
        clause::practice("networks are slow, and Heroku waits 25 s"),
        |it| Box::pin(very_slow_caller(it)),
    )
    .slow(),
    Case::must(
        "heroku.robustness.half-a-request",
        "A provision that broke off half-way succeeds when it comes again.",
        RETRIED,
        |it| Box::pin(half_a_request(it)),
    ),
    Case::must(
        "heroku.robustness.lost-plan-change",
        "A plan change whose answer was lost succeeds when it comes again.",
        RETRIED,
        |it| Box::pin(lost_plan_change(it)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.robustness.lost-deprovision",
        "A deprovision whose answer was lost is answered in peace when it comes again.",
        RETRIED,
        |it| Box::pin(lost_deprovision(it)),
    ),
    Case::should(
        "heroku.robustness.deprovision-first",
        "A provision that is overtaken by its deprovision succeeds or is answered 410.",
        clause::practice("retries are late, and come in any order"),
        |it| Box::pin(deprovision_first(it)),
    ),
    Case::should(
        "heroku.robustness.plan-change-first",
        "A plan change that comes too early is refused, and the provision succeeds afterwards.",
        clause::practice("retries are late, and come in any order"),
        |it| Box::pin(plan_change_first(it)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.robustness.removal-wins",
        "A resource that is removed while its plan changes stays removed.",
        clause::reference("after a deprovision the resource is gone"),
        |it| Box::pin(removal_wins(it)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::should(
        "heroku.robustness.removal-meets-provision",
        "A provision and its deprovision at once leave a resource that can be removed.",
        clause::practice("customers change their minds"),
        |it| Box::pin(removal_meets_provision(it)),
    ),
    Case::should(
        "heroku.robustness.many-at-once",
        "Sixteen customers at once get sixteen resources.",
        clause::practice("review apps come and go in bursts"),
        |it| Box::pin(many_at_once(it)),
    ),
];

async fn slow_caller(it: &Subject) -> Verdict {
    in_pieces(it, Duration::from_millis(200), "a body that came in five pieces over a second").await
}

async fn very_slow_caller(it: &Subject) -> Verdict {
    in_pieces(it, Duration::from_secs(2), "a body that came in five pieces over ten seconds").await
}

async fn in_pieces(it: &Subject, pause: Duration, what: &str) -> Verdict {
    it.ordered().await?;
    let seen = it.wire.send(it.order().slowly(5, pause)).await?.to(what);
    let advice = "Wait some seconds for a body before giving up, and read all that is announced.";
    if seen.is_success() { Ok(()) } else { Err(seen.wrong_status("a success", advice)) }
}

/// Asks again, a few times where the add-on says that it cannot at the moment.
async fn retried<F>(send: impl Fn() -> F) -> Result<Seen, Stop>
where
    F: Future<Output = Result<Seen, Stop>> + Send,
{
    let mut seen = send().await?;
    for pause in [50, 200, 500, 1_000] {
        if !matches!(seen.status(), 409 | 429 | 503) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
        seen = send().await?;
    }
    Ok(seen)
}

const AGAIN: &str = "What a first try left behind must not stand in the way of the second: undo it, or go on from it.";

fn must_succeed(seen: &Seen) -> Verdict {
    if seen.is_success() { Ok(()) } else { Err(seen.wrong_status("a success", AGAIN)) }
}

fn must_be_gone(seen: &Seen) -> Verdict {
    let advice = "Answer 410 (or 404, or 204 again) to what is gone.";
    if seen.is_success() || matches!(seen.status(), 404 | 410) { Ok(()) } else { Err(seen.wrong_status("410", advice)) }
}

async fn half_a_request(it: &Subject) -> Verdict {
    it.ordered().await?;
    let order = it.order();
    it.wire.disturb(&order, "hung up after half of the body", order.clone().send_half()).await;
    tokio::time::sleep(Duration::from_millis(100)).await; // until the add-on has noticed
    must_succeed(&retried(|| it.wire.send(order.clone())).await?.to("a provision that had broken off half-way"))
}

async fn lost_plan_change(it: &Subject) -> Verdict {
    let plan = it.other_plan()?;
    let first = it.wire.send(it.plan_change(&it.own().await?, plan)).await?;
    if !first.is_success() {
        let status = first.status();
        return Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")));
    }
    for moment in moments(first.took()) {
        let resource = it.own().await?;
        let change = || it.plan_change(&resource, plan);
        let hang_up = change().send_and_hang_up(moment);
        it.wire.disturb(&change(), &hung_up(moment), hang_up).await;
        must_succeed(&retried(|| it.wire.send(change())).await?.to("a plan change whose answer was lost"))?;
    }
    Ok(())
}

async fn lost_deprovision(it: &Subject) -> Verdict {
    let first = it.wire.send(it.deprovision(&it.ordered().await?)).await?;
    for moment in moments(first.took()) {
        let resource = it.ordered().await?;
        let removal = || it.deprovision(&resource);
        let hang_up = removal().send_and_hang_up(moment);
        it.wire.disturb(&removal(), &hung_up(moment), hang_up).await;
        must_be_gone(&retried(|| it.wire.send(removal())).await?.to("a deprovision whose answer was lost"))?;
    }
    Ok(())
}

async fn deprovision_first(it: &Subject) -> Verdict {
    it.ordered().await?;
    let order = it.order();
    it.wire.send(it.market.deprovision(&super::uuid(&order))).await?;
    let seen = it.wire.send(order.clone()).await?.to("a provision after its deprovision");
    if !seen.is_success() {
        return seen.must_be_refused("Answer 410, or provision it: both are right, and an error is not.").map(drop);
    }
    let resource = super::resource(order, seen)?;
    must_be_gone(&it.wire.send(it.deprovision(&resource)).await?.to("a deprovision after that"))
}

async fn plan_change_first(it: &Subject) -> Verdict {
    it.ready()?;
    it.ordered().await?;
    let order = it.order();
    let early = it.market.plan_change(&super::uuid(&order), it.plan());
    it.wire.send(early).await?.to("a plan change of what comes later").must_be_refused("Answer 404.")?;
    must_succeed(&it.wire.send(order).await?.to("a provision after a plan change that came too early"))
}

async fn removal_wins(it: &Subject) -> Verdict {
    for _ in 0..4 {
        let (resource, plan) = (it.own().await?, it.other_plan()?);
        let (change, removal) = (it.plan_change(&resource, plan), it.deprovision(&resource));
        let (changed, removed) = tokio::join!(it.wire.send(change), it.wire.send(removal));
        let (_, removed) = (changed?, removed?);
        if removed.status() == 202 || !removed.is_success() {
            let status = removed.status();
            return Err(Stop::skipped(format!("a deprovision beside a plan change is answered {status}")));
        }
        let after = it.is_alive(&resource).await?.to("a plan change of a removed resource");
        let advice = "Let terminal states win: write the new plan only if the resource was not removed meanwhile.";
        after.must_be_refused(advice)?;
    }
    Ok(())
}

async fn removal_meets_provision(it: &Subject) -> Verdict {
    it.ordered().await?;
    for later in [0, 2, 10, 40] {
        let order = it.order();
        let removal = async {
            tokio::time::sleep(Duration::from_millis(later)).await;
            it.wire.send(it.market.deprovision(&super::uuid(&order))).await
        };
        let (made, removed) = tokio::join!(it.wire.send(order.clone()), removal);
        let (made, removed) = (made?, removed?);
        let calm = |seen: &Seen| !seen.is_server_error() || seen.status() == 503;
        let advice = "Let one wait for the other, or answer 503 to the second one.";
        for seen in [&made, &removed] {
            if !calm(seen) {
                return Err(seen.wrong_status("a success, a refusal or 503", advice));
            }
        }
        if made.is_success() {
            let Ok(resource) = super::resource(order, made) else { continue };
            must_be_gone(&retried(|| it.wire.send(it.deprovision(&resource))).await?.to("a deprovision afterwards"))?;
        }
    }
    Ok(())
}

async fn many_at_once(it: &Subject) -> Verdict {
    it.ordered().await?;
    let orders: Vec<_> = (0..16).map(|_| it.order()).collect();
    let answers = it.wire.send_all(orders.clone()).await?;
    let mut resources: Vec<Resource> = Vec::new();
    for (order, seen) in orders.into_iter().zip(answers) {
        if !seen.is_success() {
            let advice = "Serve them side by side, or one after the other within the time that is left.";
            return Err(seen.to("one of sixteen orders at once").wrong_status("a success", advice));
        }
        let resource = super::resource(order, seen)?;
        if resources.iter().any(|other| other.id == resource.id) {
            return Err(resource.seen.fault(
                format!("Two of sixteen orders at once have got the same id, {}.", resource.id),
                "Draw ids so that two at once cannot get the same.",
            ));
        }
        resources.push(resource);
    }
    Ok(())
}
