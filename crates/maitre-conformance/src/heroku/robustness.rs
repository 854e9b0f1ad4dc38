//! Slow or broken networks, and requests in unexpected order.

use std::time::Duration;

use super::citation;
use super::resource::{Resource, uuid_of};
use super::target::{PLAN_CHANGE, TWO_PLANS, Target, must_be_deprovisioned};
use crate::check::{Case, Citation};
use crate::hang_up;
use crate::response::Response;
use crate::verdict::{Stop, Verdict};

const RETRIED: Citation = citation::reference("delivery is at least once; every endpoint must be idempotent");
const ANY_ORDER: Citation = citation::practice("retries are late and arrive in any order");

pub(super) const CASES: &[Case<Target>] = &[
    Case::should(
        "heroku.robustness.slow-caller",
        "A provision whose body takes a second to arrive succeeds.",
        citation::practice("networks are slow"),
        |target| Box::pin(slow_caller(target)),
    ),
    Case::should(
        "heroku.robustness.very-slow-caller",
        "A provision whose body takes ten seconds to arrive succeeds.",
        citation::practice("networks are slow, and Heroku waits 25 s"),
        |target| Box::pin(very_slow_caller(target)),
    )
    .slow(),
    Case::must(
        "heroku.robustness.half-a-request",
        "A retry succeeds after a provision that was cut off halfway.",
        RETRIED,
        |target| Box::pin(half_a_request(target)),
    )
    .alone(),
    Case::must(
        "heroku.robustness.lost-plan-change",
        "A retry succeeds after a plan change whose response was lost.",
        RETRIED,
        |target| Box::pin(lost_plan_change(target)),
    )
    .needs(TWO_PLANS),
    Case::must(
        "heroku.robustness.lost-deprovision",
        "A retry after a deprovision whose response was lost is answered 404, 410 or with a success.",
        RETRIED,
        |target| Box::pin(lost_deprovision(target)),
    ),
    Case::should(
        "heroku.robustness.deprovision-first",
        "A provision that arrives after its deprovision succeeds or is answered 410.",
        ANY_ORDER,
        |target| Box::pin(deprovision_first(target)),
    ),
    Case::should(
        "heroku.robustness.plan-change-first",
        "A plan change that arrives before its provision is refused, and the provision succeeds.",
        ANY_ORDER,
        |target| Box::pin(plan_change_first(target)),
    )
    .needs(PLAN_CHANGE),
    Case::must(
        "heroku.robustness.removal-wins",
        "A resource that is deprovisioned during a plan change stays deprovisioned.",
        citation::reference("after a deprovision the resource is gone"),
        |target| Box::pin(deprovision_wins(target)),
    )
    .needs(TWO_PLANS),
    Case::should(
        "heroku.robustness.removal-meets-provision",
        "After a concurrent provision and deprovision, the resource can be deprovisioned.",
        citation::practice("customers change their minds"),
        |target| Box::pin(deprovision_during_provision(target)),
    ),
    Case::should(
        "heroku.robustness.many-at-once",
        "Sixteen concurrent provisions create sixteen resources.",
        citation::practice("review apps come and go in bursts"),
        |target| Box::pin(concurrent(target)),
    )
    .alone(),
];

async fn slow_caller(target: &Target) -> Verdict {
    slow_body(target, Duration::from_millis(200), "a body that arrived in five parts within a second").await
}

async fn very_slow_caller(target: &Target) -> Verdict {
    slow_body(target, Duration::from_secs(2), "a body that arrived in five parts within ten seconds").await
}

async fn slow_body(target: &Target, delay: Duration, description: &str) -> Verdict {
    target.new_resource().await?;
    let response = target.wire.send(target.provision().slow_body(5, delay)).await?.to(description);
    response.must_succeed("a success", "Wait several seconds for a body, and read its complete announced length.")
}

/// Sends a request, and retries it a few times if the add-on is temporarily unable to serve it.
async fn retried<F>(send: impl Fn() -> F) -> Result<Response, Stop>
where
    F: Future<Output = Result<Response, Stop>> + Send,
{
    let mut response = send().await?;
    for delay in [50, 200, 500, 1_000] {
        if !matches!(response.status(), 409 | 429 | 503) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(delay)).await;
        response = send().await?;
    }
    Ok(response)
}

fn must_succeed(response: &Response) -> Verdict {
    let advice = "Remnants of a first attempt must not block a retry: undo them, or continue from them.";
    response.must_succeed("a success", advice)
}

fn must_be_gone(response: &Response) -> Verdict {
    if matches!(response.status(), 404 | 410) {
        return Ok(());
    }
    response.must_succeed("410", "Answer 410 (or 404, or 204 again) if the resource no longer exists.")
}

async fn half_a_request(target: &Target) -> Verdict {
    target.new_resource().await?;
    let provision = target.provision();
    let half = provision.clone().send_half();
    target.wire.perform(&provision, "hung up after half of the body", half).await;
    tokio::time::sleep(Duration::from_millis(100)).await; // until the add-on has noticed
    let response = retried(|| target.wire.send(provision.clone())).await?;
    must_succeed(&response.to("a retry of a provision that was cut off halfway"))
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
        let response = retried(|| target.wire.send(change())).await?;
        must_succeed(&response.to("a retry of a plan change whose response was lost"))?;
    }
    Ok(())
}

async fn lost_deprovision(target: &Target) -> Verdict {
    let first = target.wire.send(target.deprovision(&target.new_resource().await?)).await?;
    must_be_deprovisioned(&first)?;
    for delay in hang_up::delays(first.duration()) {
        let resource = target.new_resource().await?;
        let deprovision = || target.deprovision(&resource);
        let hang_up = deprovision().send_and_hang_up(delay);
        target.wire.perform(&deprovision(), &hang_up::description(delay), hang_up).await;
        let response = retried(|| target.wire.send(deprovision())).await?;
        must_be_gone(&response.to("a retry of a deprovision whose response was lost"))?;
    }
    Ok(())
}

async fn deprovision_first(target: &Target) -> Verdict {
    target.require_deprovision().await?;
    let provision = target.provision();
    target.wire.send(target.heroku.deprovision(&uuid_of(&provision))).await?;
    let response = target.wire.send(provision.clone()).await?.to("a provision after its deprovision");
    if !response.is_success() {
        return response.must_be_refused("Answer 410, or provision the resource: both are correct, an error is not.");
    }
    let resource = Resource::from_response(provision, response)?;
    must_be_gone(&target.wire.send(target.deprovision(&resource)).await?.to("a second deprovision"))
}

async fn plan_change_first(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    let provision = target.provision();
    let early = target.plan_change_of(&uuid_of(&provision), target.plan());
    target.wire.send(early).await?.to("a plan change before its provision").must_be_refused("Answer 404.")?;
    must_succeed(&target.wire.send(provision).await?.to("a provision after an early plan change"))
}

async fn deprovision_wins(target: &Target) -> Verdict {
    target.require_plan_change().await?;
    for _ in 0..4 {
        let (resource, plan) = (target.ready_resource().await?, target.other_plan()?);
        let (change, deprovision) = (target.plan_change(&resource, plan), target.deprovision(&resource));
        let (changed, deprovisioned) = tokio::join!(target.wire.send(change), target.wire.send(deprovision));
        let (_, deprovisioned) = (changed?, deprovisioned?);
        if deprovisioned.status() == 202 || !deprovisioned.is_success() {
            let status = deprovisioned.status();
            return Err(Stop::skipped(format!("a deprovision during a plan change is answered {status}")));
        }
        let after = target.probe(&resource).await?.to("a plan change of a deprovisioned resource");
        after.must_be_refused("Only store the new plan if the resource was not deprovisioned in the meantime.")?;
    }
    Ok(())
}

async fn deprovision_during_provision(target: &Target) -> Verdict {
    target.require_deprovision().await?;
    for delay in [0, 2, 10, 40] {
        let provision = target.provision();
        let deprovision = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            target.wire.send(target.heroku.deprovision(&uuid_of(&provision))).await
        };
        let (provisioned, deprovisioned) = tokio::join!(target.wire.send(provision.clone()), deprovision);
        let (provisioned, deprovisioned) = (provisioned?, deprovisioned?);
        for response in [&provisioned, &deprovisioned] {
            if response.is_server_error() && response.status() != 503 {
                let advice = "Let one request wait for the other, or answer 503 to the second one.";
                return Err(response.wrong_status("a success, a refusal or 503", advice));
            }
        }
        if provisioned.is_success() {
            let Ok(resource) = Resource::from_response(provision, provisioned) else { continue };
            let response = retried(|| target.wire.send(target.deprovision(&resource))).await?;
            must_be_gone(&response.to("a second deprovision"))?;
        }
    }
    Ok(())
}

async fn concurrent(target: &Target) -> Verdict {
    target.new_resource().await?;
    let provisions: Vec<_> = (0..16).map(|_| target.provision()).collect();
    let responses = target.wire.send_all(provisions.clone()).await?;
    let mut resources: Vec<Resource> = Vec::new();
    for (provision, response) in provisions.into_iter().zip(responses) {
        let advice = "Serve the requests concurrently, or one after the other within the timeout.";
        let response = response.to("one of sixteen concurrent provisions");
        response.must_succeed("a success", advice)?;
        let resource = Resource::from_response(provision, response)?;
        if resources.iter().any(|other| other.id == resource.id) {
            return Err(resource.response.fault(
                format!("Two of sixteen concurrent provisions got the same id, {}.", resource.id),
                "Generate ids that are unique even under concurrency.",
            ));
        }
        resources.push(resource);
    }
    Ok(())
}
