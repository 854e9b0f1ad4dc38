//! Networks that are slow or break, and calls that come in no provision.

use std::time::Duration;

use super::resource::{Resource, uuid_of};
use super::target::{PLAN_CHANGE, Target};
use super::{citation, hang_up};
use crate::check::{Capability, Case, Citation};
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const RETRIED: Citation = citation::reference("delivery is at least once; every endpoint must be idempotent");

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "heroku.robustness.slow-caller",
        "A provision whose body comes in over a second succeeds.",
        citation::practice("networks are slow"),
        |target| Box::pin(slow_caller(target)),
    ),
    Case::should(
        "heroku.robustness.very-slow-caller",
        "A provision whose body comes in over ten seconds succeeds.",
        citation::practice("networks are slow, and Heroku waits 25 s"),
        |target| Box::pin(very_slow_caller(target)),
    )
    .slow(),
    Case::must(
        "heroku.robustness.half-a-request",
        "A provision that broke off half-way succeeds when it comes again.",
        RETRIED,
        |target| Box::pin(half_a_request(target)),
    ),
    Case::must(
        "heroku.robustness.lost-plan-change",
        "A plan change whose answer was lost succeeds when it comes again.",
        RETRIED,
        |target| Box::pin(lost_plan_change(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::must(
        "heroku.robustness.lost-deprovision",
        "A deprovision whose answer was lost is answered in peace when it comes again.",
        RETRIED,
        |target| Box::pin(lost_deprovision(target)),
    ),
    Case::should(
        "heroku.robustness.deprovision-first",
        "A provision that is overtaken by its deprovision succeeds or is answered 410.",
        citation::practice("retries are late, and come in any provision"),
        |target| Box::pin(deprovision_first(target)),
    ),
    Case::should(
        "heroku.robustness.plan-change-first",
        "A plan change that comes too early is refused, and the provision succeeds afterwards.",
        citation::practice("retries are late, and come in any provision"),
        |target| Box::pin(plan_change_first(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.robustness.removal-wins",
        "A resource that is removed while its plan changes stays removed.",
        citation::reference("after a deprovision the resource is gone"),
        |target| Box::pin(removal_wins(target)),
    )
    .needs(&[Capability::SecondPlan]),
    Case::should(
        "heroku.robustness.removal-meets-provision",
        "A provision and its deprovision at once leave a resource that can be removed.",
        citation::practice("customers change their minds"),
        |target| Box::pin(removal_meets_provision(target)),
    ),
    Case::should(
        "heroku.robustness.many-at-once",
        "Sixteen customers at once get sixteen resources.",
        citation::practice("review apps come and go in bursts"),
        |target| Box::pin(many_at_once(target)),
    ),
];

async fn slow_caller(target: &Target) -> Verdict {
    in_pieces(target, Duration::from_millis(200), "a body that came in five pieces over a second").await
}

async fn very_slow_caller(target: &Target) -> Verdict {
    in_pieces(target, Duration::from_secs(2), "a body that came in five pieces over ten seconds").await
}

async fn in_pieces(target: &Target, pause: Duration, what: &str) -> Verdict {
    target.new_resource().await?;
    let response = target.wire.send(target.provision().slow_body(5, pause)).await?.to(what);
    let advice = "Wait some seconds for a body before giving up, and read all that is announced.";
    if response.is_success() { Ok(()) } else { Err(response.wrong_status("a success", advice)) }
}

/// Asks again, a few times where the add-on says that it cannot at the delay.
async fn retried<F>(send: impl Fn() -> F) -> Result<Response, Stop>
where
    F: Future<Output = Result<Response, Stop>> + Send,
{
    let mut response = send().await?;
    for pause in [50, 200, 500, 1_000] {
        if !matches!(response.status(), 409 | 429 | 503) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
        response = send().await?;
    }
    Ok(response)
}

const AGAIN: &str = "What a first try left behind must not stand in the way of the second: undo it, or go on from it.";

fn must_succeed(response: &Response) -> Verdict {
    if response.is_success() { Ok(()) } else { Err(response.wrong_status("a success", AGAIN)) }
}

fn must_be_gone(response: &Response) -> Verdict {
    let advice = "Answer 410 (or 404, or 204 again) to what is gone.";
    if response.is_success() || matches!(response.status(), 404 | 410) {
        Ok(())
    } else {
        Err(response.wrong_status("410", advice))
    }
}

async fn half_a_request(target: &Target) -> Verdict {
    target.new_resource().await?;
    let provision = target.provision();
    target.wire.perform(&provision, "hung up after half of the body", provision.clone().send_half()).await;
    tokio::time::sleep(Duration::from_millis(100)).await; // until the add-on has noticed
    must_succeed(&retried(|| target.wire.send(provision.clone())).await?.to("a provision that had broken off half-way"))
}

async fn lost_plan_change(target: &Target) -> Verdict {
    let plan = target.other_plan()?;
    let first = target.wire.send(target.plan_change(&target.ready_resource().await?, plan)).await?;
    if !first.is_success() {
        let status = first.status();
        return Err(Stop::skipped(format!("the plan change is answered {status} (see heroku.plan-change.succeeds)")));
    }
    for delay in hang_up::delays(first.duration()) {
        let resource = target.ready_resource().await?;
        let change = || target.plan_change(&resource, plan);
        let hang_up = change().send_and_hang_up(delay);
        target.wire.perform(&change(), &hang_up::description(delay), hang_up).await;
        must_succeed(&retried(|| target.wire.send(change())).await?.to("a plan change whose answer was lost"))?;
    }
    Ok(())
}

async fn lost_deprovision(target: &Target) -> Verdict {
    let first = target.wire.send(target.deprovision(&target.new_resource().await?)).await?;
    for delay in hang_up::delays(first.duration()) {
        let resource = target.new_resource().await?;
        let removal = || target.deprovision(&resource);
        let hang_up = removal().send_and_hang_up(delay);
        target.wire.perform(&removal(), &hang_up::description(delay), hang_up).await;
        must_be_gone(&retried(|| target.wire.send(removal())).await?.to("a deprovision whose answer was lost"))?;
    }
    Ok(())
}

async fn deprovision_first(target: &Target) -> Verdict {
    target.new_resource().await?;
    let provision = target.provision();
    target.wire.send(target.heroku.deprovision(&uuid_of(&provision))).await?;
    let response = target.wire.send(provision.clone()).await?.to("a provision after its deprovision");
    if !response.is_success() {
        return response.must_be_refused("Answer 410, or provision it: both are right, and an error is not.").map(drop);
    }
    let resource = Resource::from_response(provision, response)?;
    must_be_gone(&target.wire.send(target.deprovision(&resource)).await?.to("a deprovision after that"))
}

async fn plan_change_first(target: &Target) -> Verdict {
    target.require_ready()?;
    target.new_resource().await?;
    let provision = target.provision();
    let early = target.heroku.plan_change(&uuid_of(&provision), target.plan());
    target.wire.send(early).await?.to("a plan change of what comes later").must_be_refused("Answer 404.")?;
    must_succeed(&target.wire.send(provision).await?.to("a provision after a plan change that came too early"))
}

async fn removal_wins(target: &Target) -> Verdict {
    for _ in 0..4 {
        let (resource, plan) = (target.ready_resource().await?, target.other_plan()?);
        let (change, removal) = (target.plan_change(&resource, plan), target.deprovision(&resource));
        let (changed, removed) = tokio::join!(target.wire.send(change), target.wire.send(removal));
        let (_, removed) = (changed?, removed?);
        if removed.status() == 202 || !removed.is_success() {
            let status = removed.status();
            return Err(Stop::skipped(format!("a deprovision beside a plan change is answered {status}")));
        }
        let after = target.probe(&resource).await?.to("a plan change of a removed resource");
        let advice = "Let terminal states win: write the new plan only if the resource was not removed meanwhile.";
        after.must_be_refused(advice)?;
    }
    Ok(())
}

async fn removal_meets_provision(target: &Target) -> Verdict {
    target.new_resource().await?;
    for later in [0, 2, 10, 40] {
        let provision = target.provision();
        let removal = async {
            tokio::time::sleep(Duration::from_millis(later)).await;
            target.wire.send(target.heroku.deprovision(&uuid_of(&provision))).await
        };
        let (made, removed) = tokio::join!(target.wire.send(provision.clone()), removal);
        let (made, removed) = (made?, removed?);
        let calm = |response: &Response| !response.is_server_error() || response.status() == 503;
        let advice = "Let one wait for the other, or answer 503 to the second one.";
        for response in [&made, &removed] {
            if !calm(response) {
                return Err(response.wrong_status("a success, a refusal or 503", advice));
            }
        }
        if made.is_success() {
            let Ok(resource) = Resource::from_response(provision, made) else { continue };
            must_be_gone(
                &retried(|| target.wire.send(target.deprovision(&resource))).await?.to("a deprovision afterwards"),
            )?;
        }
    }
    Ok(())
}

async fn many_at_once(target: &Target) -> Verdict {
    target.new_resource().await?;
    let provisions: Vec<_> = (0..16).map(|_| target.provision()).collect();
    let answers = target.wire.send_all(provisions.clone()).await?;
    let mut resources: Vec<Resource> = Vec::new();
    for (provision, response) in provisions.into_iter().zip(answers) {
        if !response.is_success() {
            let advice = "Serve them side by side, or one after the other within the time that is left.";
            return Err(response.to("one of sixteen provisions at once").wrong_status("a success", advice));
        }
        let resource = Resource::from_response(provision, response)?;
        if resources.iter().any(|other| other.id == resource.id) {
            return Err(resource.response.fault(
                format!("Two of sixteen provisions at once have got the same id, {}.", resource.id),
                "Draw ids so that two at once cannot get the same.",
            ));
        }
        resources.push(resource);
    }
    Ok(())
}
