//! Repeated provisions.

use std::time::Duration;

use super::case::case;
use super::contract::{BasicMarketplace, Clause};
use super::resource::Resource;
use super::target::Target;
use crate::check::{Capability, Case};
use crate::hang_up;
use crate::rules;
use crate::verdict::{Stop, Verdict};

/// Number of identical concurrent provisions.
const TIMES: usize = 8;

const ADVICE: &str = "Put a unique constraint on the marketplace's key, and answer a repeated provision from the stored \
                      response: the same id and config as the first time.";

pub(super) fn cases<M: BasicMarketplace>() -> Vec<Case<Target<M>>> {
    let repeated = M::CONTRACT.clauses.repeated;
    vec![
        case("idempotency.same-id", "A repeated provision succeeds with the same id.", repeated, |target| {
            Box::pin(same_id(target))
        }),
        case(
            "idempotency.same-config",
            "A repeated provision has the same config vars.",
            repeated.advised(),
            |target| Box::pin(same_config(target)),
        )
        .needs(&[Capability::Synchronous]),
        case(
            "idempotency.other-plan",
            "A repeated provision with another plan does not create a second resource.",
            repeated.advised(),
            |target| Box::pin(other_plan(target)),
        )
        .needs(&[Capability::SecondPlan]),
        case(
            "idempotency.concurrent",
            "Eight concurrent requests for the same provision create one resource.",
            repeated.advised(),
            |target| Box::pin(concurrent(target)),
        ),
        case(
            "idempotency.lost-response",
            "A provision whose response was lost is repeated successfully.",
            Clause::practice("a marketplace repeats a request whose response it did not get"),
            |target| Box::pin(lost_response(target)),
        ),
    ]
}

async fn repeat<M: BasicMarketplace>(target: &Target<M>) -> Result<(Resource, Resource), Stop> {
    let first = target.new_resource().await?;
    let response = target.send(first.provision.clone()).await?.to("a repeated provision");
    response.must_be(M::CONTRACT.provisioned, ADVICE)?;
    Ok((first.clone(), Resource::from_response::<M>(first.provision, response)?))
}

fn must_be_same(first: &Resource, second: &Resource) -> Verdict {
    if first.id == second.id {
        return Ok(());
    }
    let message = format!("The first response had the id {} and this one has {}.", first.id, second.id);
    Err(second.response.fault(message, ADVICE))
}

async fn same_id<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let (first, second) = repeat(target).await?;
    must_be_same(&first, &second)
}

async fn same_config<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let (first, second) = repeat(target).await.map_err(|_| not_repeatable::<M>())?;
    must_be_same(&first, &second).map_err(|_| not_repeatable::<M>())?;
    second.response.require(|parts| rules::has_same_config(&first.response.parts(), parts))
}

fn not_repeatable<M: BasicMarketplace>() -> Stop {
    Stop::skipped(format!("a provision cannot be repeated (see {}.idempotency.same-id)", M::CONTRACT.marketplace))
}

async fn other_plan<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let first = target.new_resource().await?;
    let call = first.provision.clone().set(M::CONTRACT.plan, target.other_plan());
    let response = target.send(call.clone()).await?.to("a repeated provision with another plan");
    if response.is_success() {
        return must_be_same(&first, &Resource::from_response::<M>(call, response)?);
    }
    response.must_be_refused("Change the plan of the existing resource, or answer 409 or 422.")
}

async fn concurrent<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    target.require_provision().await?;
    let call = target.provision();
    let responses = target.wire.send_all((0..TIMES).map(|_| call.clone())).await?;
    let mut first: Option<Resource> = None;
    for response in responses {
        let response = response.to("one of eight identical concurrent provisions");
        // an add-on may ask for a retry while the first one runs
        if matches!(response.status(), 409 | 429 | 503) {
            continue;
        }
        response.must_be(M::CONTRACT.provisioned, ADVICE)?;
        let resource = Resource::from_response::<M>(call.clone(), response)?;
        match &first {
            Some(first) => must_be_same(first, &resource)?,
            None => first = Some(resource),
        }
    }
    let response = target.send(call.clone()).await?.to("a ninth, later request for the same provision");
    response.must_be(M::CONTRACT.provisioned, ADVICE)?;
    let last = Resource::from_response::<M>(call, response)?;
    first.map_or(Ok(()), |first| must_be_same(&first, &last))
}

async fn lost_response<M: BasicMarketplace>(target: &Target<M>) -> Verdict {
    let measured = target.new_resource().await?;
    for delay in hang_up::delays(measured.response.duration()) {
        let call = target.provision();
        let hang_up = call.clone().send_and_hang_up(delay);
        target.wire.perform(&call, &hang_up::description(delay), hang_up).await;
        let mut repeated = Vec::new();
        for _ in 0..2 {
            let response = target.send(call.clone()).await?.to("a provision after a lost response");
            if response.status() == 409 || response.status() == 503 {
                tokio::time::sleep(2 * measured.response.duration() + Duration::from_millis(200)).await;
                repeated.push(Resource::from_response::<M>(call.clone(), target.send(call.clone()).await?)?);
                continue;
            }
            response.must_be(M::CONTRACT.provisioned, ADVICE)?;
            repeated.push(Resource::from_response::<M>(call.clone(), response)?);
        }
        must_be_same(&repeated[0], &repeated[1])?;
    }
    Ok(())
}
